import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type Forwarded, Upstream } from '../src/adapters/http/upstream.js';

const times = { patienceMs: 500, answerMs: 2_500, probeMs: 150 };
const usage: Forwarded = { method: 'POST', path: '/usage', headers: {}, body: Buffer.from('{}'), repeatable: true };

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

/** A replica that is silent, or not, and counts what it is asked. */
class Replica {
  silent = false;
  status = 200;
  asked = 0;
  readonly #held: (() => void)[] = [];
  readonly #server: Server;

  constructor() {
    const answer: RequestListener = (request, response) => {
      const probe = request.url === '/readyz';
      if (!probe) this.asked += 1;
      request.resume();
      const end = (): void => void response.writeHead(probe ? 200 : this.status).end(probe ? 'ready' : this.url);
      if (this.silent) this.#held.push(end);
      else end();
    };
    this.#server = createServer(answer);
    opened.push(() => {
      this.#server.close();
      this.#server.closeAllConnections();
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  wake(): void {
    this.silent = false;
    for (const end of this.#held.splice(0)) end();
  }
}

const pair = async (): Promise<{ a: Replica; b: Replica; upstream: Upstream; send: (more?: Partial<Forwarded>) => Promise<string> }> => {
  const [a, b] = await Promise.all([new Replica().open(), new Replica().open()]);
  const upstream = new Upstream('ingestion', `${a.url},${b.url}`, times);
  opened.push(() => upstream.close());
  const send = async (more: Partial<Forwarded> = {}): Promise<string> => (await upstream.forward({ ...usage, ...more })).body.text();
  // Connected once, so that the first of all requests does not pass for silence.
  for (let n = 0; n < 2; n += 1) await send({ repeatable: false });
  a.asked = 0;
  b.asked = 0;
  return { a, b, upstream, send };
};

const codeOf = (error: unknown): string => (error as { code: string }).code;

describe('replicas', () => {
  test('are asked in turn', async () => {
    const { a, b, send } = await pair();
    for (let n = 0; n < 6; n += 1) await send();
    expect([a.asked, b.asked]).toEqual([3, 3]);
  });

  test('one that falls silent costs one request a little patience, and is then passed over until it is well', async () => {
    const { a, b, send } = await pair();
    a.silent = true;
    for (let n = 0; n < 10; n += 1) expect(await send()).toBe(b.url);
    expect(a.asked).toBe(1);
    a.wake();
    const deadline = performance.now() + 30_000;
    while (a.asked === 1 && performance.now() < deadline) await send();
    expect(a.asked).toBeGreaterThan(1);
  });

  test('when all are silent the outcome is unknown, in time, and none of them is to blame', async () => {
    const { a, b, send } = await pair();
    a.silent = true;
    b.silent = true;
    const start = performance.now();
    await expect(send()).rejects.toMatchObject({ code: 'outcome_unknown', status: 503 });
    expect(performance.now() - start).toBeLessThan(20_000);
    a.wake();
    b.wake();
    // The first of them was passed over until it answered a probe.
    const deadline = performance.now() + 30_000;
    for (;;) {
      a.asked = 0;
      b.asked = 0;
      for (let n = 0; n < 4; n += 1) await send();
      if ((a.asked === 2 && b.asked === 2) || performance.now() > deadline) break;
    }
    expect([a.asked, b.asked]).toEqual([2, 2]);
  });

  test('one that was asked to wait is not silent while it may wait', async () => {
    const { a, b, send } = await pair();
    a.silent = true;
    setTimeout(() => a.wake(), 900);
    const answers = [await send({ waitMs: 5_000 }), await send({ waitMs: 5_000 })];
    expect(answers.toSorted()).toEqual([a.url, b.url].toSorted());
  });

  describe('an answer that binds nobody', () => {
    const refusedBeside = async (then: (a: Replica) => void) => {
      const { a, b, send } = await pair();
      b.status = 402;
      a.silent = true;
      setTimeout(() => then(a), 1_000);
      // Whose turn it is, is the other's second.
      const [first, second] = [
        await send({ revisable: 402 }).catch(codeOf),
        a.asked === 0 ? await send({ revisable: 402 }).catch(codeOf) : null,
      ];
      return { outcome: second ?? first, a, b };
    };

    test.each([201, 402])('waits for the other replica that has the request, and its %i', async (status) => {
      const { outcome, a } = await refusedBeside((one) => {
        one.status = status;
        one.wake();
      });
      expect(outcome).toBe(a.url);
    });

    test('is unknown where that is never heard of', async () => {
      expect((await refusedBeside(() => undefined)).outcome).toBe('outcome_unknown');
    });

    test('stands where no other has it', async () => {
      const { a, b, send } = await pair();
      [a.status, b.status] = [402, 402];
      expect([await send({ revisable: 402 }), a.asked + b.asked]).toEqual([expect.stringMatching(/^http/), 1]);
    });
  });

  test('what may be done once only waits for the one that has it', async () => {
    const { a, b, send } = await pair();
    a.silent = true;
    b.silent = true;
    await expect(send({ repeatable: false })).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(a.asked + b.asked).toBe(1);
  });
});
