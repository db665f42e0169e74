import { describe, expect, test } from '@jest/globals';
import { newCounters } from '../src/counters.js';
import { silent } from '../src/logger.js';
import { DurableConsumer } from '../src/nest/durable/durable-consumer.js';
import { DURABLE_DEFAULTS, type DurableContext, type DurableHandling } from '../src/nest/durable/durable-messages.js';
import { FakeSource } from './support/fake-source.js';

type Handle = (payloads: readonly string[], context: DurableContext) => Promise<void>;

const run = (handle: Handle, handling: Partial<DurableHandling> = {}) => {
  const sources: FakeSource[] = [];
  const closing = new AbortController();
  const batches: (readonly string[])[] = [];
  const consumer = new DurableConsumer({
    handling: {
      ...DURABLE_DEFAULTS,
      stream: 'S',
      durable: 'C',
      subject: 'work.*',
      read: ({ data }) => {
        const text = new TextDecoder().decode(data);
        if (text.startsWith('bad')) throw new SyntaxError(`no\nsense: ${text}`);
        return text;
      },
      ...handling,
    },
    open: async (_options, news) => {
      const source = new FakeSource(news);
      sources.push(source);
      return source;
    },
    handle: async (payloads, context) => {
      batches.push(payloads as readonly string[]);
      await handle(payloads as readonly string[], context);
    },
    counters: newCounters(),
    logger: silent,
  });
  const done = consumer.run(closing.signal);
  return {
    batches,
    /** The source opened as the nth. */
    source: async (n = 0): Promise<FakeSource> => {
      await until(() => sources.length > n);
      return sources[n] as FakeSource;
    },
    stop: async () => {
      closing.abort();
      await done;
    },
  };
};

const until = async (condition: () => boolean): Promise<void> => {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('it never came true');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};
const numbers = (count: number, from = 0): string[] => Array.from({ length: count }, (_, index) => `m${from + index}`);
const nothing: Handle = async () => undefined;

describe('batches', () => {
  test('are full while there is enough, in order, and a rest goes after its linger', async () => {
    const { batches, source, stop } = run(nothing, { maxMessages: 20, lingerMs: 30 });
    const from = await source();
    for (let at = 0; at < 310; at += 31) from.push(...numbers(31, at));
    await until(() => batches.flat().length === 310);
    expect(batches.map(({ length }) => length)).toEqual([...Array.from({ length: 15 }, () => 20), 10]);
    expect(batches.flat()).toEqual(numbers(310));
    await stop();
    expect(new Set(Object.values(from.verdicts()))).toEqual(new Set(['+ACK']));
  });

  test('end before the bytes do, and one message alone may be larger', async () => {
    const { batches, source, stop } = run(nothing, { maxMessages: 100, maxBytes: 250, lingerMs: 10 });
    (await source()).push('a'.repeat(100), 'b'.repeat(100), 'c'.repeat(600), 'd');
    await until(() => batches.flat().length === 4);
    expect(batches.map((batch) => batch.map((text) => text[0]).join(''))).toEqual(['ab', 'c', 'd']);
    await stop();
  });

  test('without linger hold what came together, and a lone message waits for nobody', async () => {
    const { batches, source, stop } = run(nothing, { lingerMs: 0 });
    const from = await source();
    from.push('a', 'b');
    from.push('c');
    await until(() => batches.length === 1);
    from.push('d');
    await until(() => batches.length === 2);
    expect(batches).toEqual([['a', 'b', 'c'], ['d']]);
    await stop();
  });
});

describe('settling', () => {
  test('a message that cannot be read is terminated with the reason, and no handler sees it', async () => {
    const { batches, source, stop } = run(nothing);
    const from = await source();
    from.push('good', 'bad1', 'fine');
    await until(() => batches.length === 1);
    await stop();
    expect(batches).toEqual([['good', 'fine']]);
    expect(from.verdicts()).toEqual({ good: '+ACK', bad1: '+TERM SyntaxError: no sense: bad1', fine: '+ACK' });
  });

  test('a batch without a readable message calls nobody', async () => {
    const { batches, source, stop } = run(nothing);
    const from = await source();
    from.push('bad1', 'bad2');
    await until(() => Object.values(from.verdicts()).every((verdict) => verdict !== ''));
    await stop();
    expect(batches).toEqual([]);
  });

  test('IN-E11: the handler settles single messages, once; the rest is acknowledged', async () => {
    const { source, stop } = run(async (_payloads, context) => {
      context.nak(0, 250);
      context.term(1, 'never');
      context.ack(2);
      context.nak(2);
      expect(() => context.ack(4)).toThrow(RangeError);
      expect(context.messages[3]?.info).toEqual({
        stream: 'S',
        streamSequence: 4,
        deliveryCount: 1,
        timestampNanos: '1736935200123456789',
      });
    });
    const from = await source();
    from.push(...numbers(4));
    await until(() => from.verdicts().m3 === '+ACK');
    await stop();
    expect(from.verdicts()).toEqual({ m0: '-NAK {"delay":250000000}', m1: '+TERM never', m2: '+ACK', m3: '+ACK' });
  });

  test('what a throwing handler left is asked for again, later, and the next batch goes on', async () => {
    const { batches, source, stop } = run(
      async (payloads, context) => {
        if (!payloads.includes('m0')) return;
        context.ack(1);
        throw new Error('no store');
      },
      { retryMs: 700 },
    );
    const from = await source();
    from.push(...numbers(3));
    await until(() => batches.length === 1);
    from.push('after');
    await until(() => batches.length === 2);
    await stop();
    expect(from.verdicts()).toEqual({ m0: '-NAK {"delay":700000000}', m1: '+ACK', m2: '-NAK {"delay":700000000}', after: '+ACK' });
  });

  test('a slow batch asks for time, for itself and for what waits behind it', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { source, batches, stop } = run(() => promise, { ackWaitMs: 30, maxMessages: 1 });
    const from = await source();
    from.push('a', 'b');
    await until(() => from.sent.every(({ verdicts }) => verdicts.includes('+WPI')));
    resolve();
    await until(() => batches.length === 2);
    await stop();
    expect(from.verdicts()).toEqual({ a: '+ACK', b: '+ACK' });
  });

  test('IN-E11: nothing is acknowledged to a consumer that is gone', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { source, batches, stop } = run(() => promise);
    const from = await source();
    from.push('a');
    await until(() => batches.length === 1);
    from.validity.live = false;
    from.end('409 Consumer Deleted');
    resolve();
    await source(1);
    await stop();
    expect(from.verdicts()).toEqual({ a: '' });
  });
});

describe('a consumer', () => {
  test('closed in the middle of a batch finishes it, and gives back what it had not begun', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { source, batches, stop } = run(() => promise, { maxMessages: 2 });
    const from = await source();
    from.push(...numbers(5));
    await until(() => batches.length === 1);
    const stopped = stop();
    from.push('late');
    resolve();
    await stopped;
    expect(batches).toEqual([['m0', 'm1']]);
    expect(from.verdicts()).toEqual({ m0: '+ACK', m1: '+ACK', m2: '-NAK', m3: '-NAK', m4: '-NAK', late: '-NAK' });
  });

  test('whose source ends works off what it holds, and opens another', async () => {
    const { source, batches, stop } = run(nothing, { lingerMs: 20 });
    const from = await source();
    from.push('a');
    from.end('disconnected');
    const next = await source(1);
    next.push('b');
    await until(() => batches.length === 2);
    await stop();
    expect([from.closed, next.closed, batches]).toEqual([true, true, [['a'], ['b']]]);
  });
});
