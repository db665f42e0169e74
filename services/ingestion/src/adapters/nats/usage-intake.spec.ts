import type { DurableContext, DurableMessage } from '@bursar/bus/nest';
import type { UsageItem } from '@bursar/contracts/http';
import { StoreUnavailableError } from '@bursar/event-store';
import type { Logger } from '@bursar/platform';
import { describe, expect, test } from '@jest/globals';
import type { RecordUsage, UsageReceipt } from '../../features/record-usage.js';
import type { DeadLetters } from './dead-letters.js';
import { UsageIntake } from './usage-intake.js';

type Execute = (items: readonly UsageItem[], tenant: string) => Promise<UsageReceipt>;

const accepted: Execute = async (items) => ({
  results: items.map(({ id, source }) => ({ id, source, status: 'accepted' })),
  position: '0:1',
});
const event = (id: string, fields: object = {}) => ({ id, source: 'test', scopes: ['team:ml'], cost: { amount: '1' }, ...fields });
const message = (tenant: string, body: unknown, deliveryCount = 1): DurableMessage => ({
  subject: `usage.ingest.${tenant}`,
  headers: undefined,
  data: new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)),
  info: { stream: 'USAGE_INTAKE', streamSequence: 1, deliveryCount, timestampNanos: '1' },
});

/** What became of each message of a batch, and what was asked to be recorded. */
const take = async (messages: readonly DurableMessage[], execute: Execute, keeps = true) => {
  const verdicts: string[] = messages.map(() => 'left');
  const appends: string[] = [];
  const context = {
    messages,
    ack: (index: number) => {
      verdicts[index] = verdicts[index] === 'left' ? 'ack' : `${verdicts[index]}, ack`;
    },
    nak: (index: number, delayMs: number) => {
      verdicts[index] = `again in ${delayMs}`;
    },
  } as unknown as DurableContext;
  const recordUsage = {
    execute: async (items: readonly UsageItem[], { tenant }: { tenant: string }) => {
      appends.push(`${tenant}: ${items.map(({ id }) => id).join()}`);
      return execute(items, tenant);
    },
  } as unknown as RecordUsage;
  const deadLetters = {
    keep: async (kept: DurableMessage, reasons: readonly string[]) => {
      verdicts[messages.indexOf(kept)] = `aside for ${reasons.join()}`;
      return keeps;
    },
  } as unknown as DeadLetters;
  const logger = { warn: () => undefined } as unknown as Logger;
  await new UsageIntake(recordUsage, deadLetters, logger).take(messages, context);
  return { verdicts, appends };
};

describe('a batch', () => {
  test('is one append for each tenant, in order', async () => {
    const messages = [message('a', event('1')), message('b', event('2')), message('a', { events: [event('3'), event('4')] })];
    expect(await take(messages, accepted)).toEqual({ verdicts: ['ack', 'ack', 'ack'], appends: ['a: 1,3,4', 'b: 2'] });
  });

  test('is split where an append would hold more than a request may', async () => {
    const many = (from: number) => ({ events: Array.from({ length: 600 }, (_, n) => event(`${from + n}`)) });
    const { appends } = await take([message('a', many(0)), message('a', many(600))], accepted);
    expect(appends.map((append) => append.split(',').length)).toEqual([600, 600]);
  });

  test('loses what is refused to the dead letters, whole or in part, and only that', async () => {
    const execute: Execute = async (items) => ({
      results: items.map(({ id, source }) => ({
        id,
        source,
        ...(id === 'late' ? { status: 'rejected', problem: { code: 'too_old' } as never } : { status: 'accepted' }),
      })),
      position: null,
    });
    const { verdicts } = await take(
      [message('a', 'no json'), message('a', event('1')), message('a', { events: [event('2'), event('late')] })],
      execute,
    );
    expect(verdicts).toEqual(['aside for bad_json, ack', 'ack', 'aside for too_old, ack']);
  });

  test('keeps what the dead letters cannot take', async () => {
    expect((await take([message('a', 'no json')], accepted, false)).verdicts).toEqual(['again in 1000']);
  });
});

describe('when it cannot be recorded', () => {
  test('an outage of the store puts nothing aside, however often it was tried', async () => {
    const { verdicts, appends } = await take([message('a', event('1'), 99), message('a', event('2'))], () =>
      Promise.reject(new StoreUnavailableError('down')),
    );
    expect([verdicts, appends]).toEqual([['again in 1000', 'again in 1000'], ['a: 1,2']]);
  });

  test('poison is found by trying each alone, and put aside after five tries', async () => {
    const execute: Execute = (items, tenant) =>
      items.some(({ id }) => id === 'poison') ? Promise.reject(new Error('boom')) : accepted(items, tenant);
    const messages = [message('a', event('1')), message('a', event('poison'), 5), message('a', event('2'))];
    expect((await take(messages, execute)).verdicts).toEqual(['ack', 'aside for internal_error, ack', 'ack']);
    expect((await take([message('a', event('poison'), 4)], execute)).verdicts).toEqual(['again in 1000']);
  });
});
