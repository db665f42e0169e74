import { budgetStream, contentHash, derivedId, usageStream } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import { untilCaughtUp } from './support/exact.js';
import { partitionRuns } from './support/partition-runs.js';
import { append, balanceLines, eventually, publish } from './support/real.js';
import { budgetStep, definitionOf, useStep } from './support/stories.js';

const runs = partitionRuns();
const { run } = runs;

describe('what cannot be folded', () => {
  test('an event of a newer release halts the partition after everything before it, and says why', async () => {
    await publish(runs.at.store, [budgetStep({}), useStep(7)]);
    await append(runs.at.store, {
      stream: 'tenant-acme',
      id: derivedId('new'),
      type: 'PricesForgotten',
      meta: { tenant: 'acme' },
      data: {},
    });
    await append(runs.at.store, usage(5));
    const { runner, heard } = run();
    await eventually(
      () => runner.status,
      ({ status }) => status === 'halted',
    );
    expect(runner.status).toEqual({ status: 'halted', reason: 'event PricesForgotten version 1 is not known to this release' });
    expect(heard.halts).toHaveLength(1);
    expect((await balanceLines(runs.at.db)).map((line) => line.split(' ')[2])).toEqual(['7']);
  });

  test('a checkpoint ahead of the store is refused, never rewound', async () => {
    await runs.at.db.insertInto('projection.checkpoint').values({ projection: 'budget', partition: 0, position: 99, epoch: 1 }).execute();
    const { runner } = run();
    await eventually(
      () => runner.status,
      ({ status }) => status === 'halted',
    );
    expect(runner.status).toEqual({
      status: 'halted',
      reason: 'CHECKPOINT_AHEAD_OF_STORE: partition 0 is folded to 99, the store ends at 0',
    });
    const [row] = await runs.at.db.selectFrom('projection.checkpoint').select('position').execute();
    expect(row?.position).toBe(99);
  });

  test('an event that is no JSON, a balance that overflows and a text the tables refuse are set aside; the partition goes on', async () => {
    await publish(runs.at.store, [budgetStep({ limit: null })]);
    const huge = `${10n ** 18n}`;
    const positions = [
      await append(runs.at.store, usage(1)),
      await appendRaw('{"broken'),
      await append(runs.at.store, usage(huge)),
      await append(runs.at.store, usage(2)),
      await append(runs.at.store, { ...budgetEvent('nul\u0000name'), id: derivedId('nul') }),
      await append(runs.at.store, usage(4)),
    ];
    const { heard } = run();
    await untilCaughtUp(runs.at);
    expect((await balanceLines(runs.at.db)).map((line) => line.split(' ')[2])).toEqual(['7']);
    const rows = await runs.at.db
      .selectFrom('projection.quarantine')
      .select(['position', 'tenant', 'reason', 'budget_ids'])
      .where('projection', '=', 'budget')
      .orderBy('position')
      .execute();
    expect(rows).toEqual([
      { position: positions[1], tenant: 'acme', reason: 'cannot be decoded: SyntaxError', budget_ids: null },
      {
        position: positions[2],
        tenant: 'acme',
        reason: 'BalanceOverflowError: the balance of budget budget-0 would pass the largest amount',
        budget_ids: ['budget-0'],
      },
      { position: positions[4], tenant: 'acme', reason: 'the tables refused it: SQLSTATE 22P05', budget_ids: null },
    ]);
    expect(heard.quarantine).toBe(3);
  });
});

const usage = (amount: number | string) => ({
  stream: usageStream('acme'),
  id: derivedId('usage', String(amount)),
  type: 'UsageRecorded',
  meta: { tenant: 'acme' },
  data: {
    id: String(amount),
    source: 'test',
    occurredAt: '2026-03-01T00:00:00Z',
    scopes: ['user:0'],
    status: 'succeeded',
    cost: { amount: String(amount), currency: 'USD' },
  },
});

const budgetEvent = (name: string) => ({
  stream: budgetStream('acme', 'nul'),
  type: 'BudgetCreated',
  meta: { tenant: 'acme' },
  data: {
    budgetId: 'nul',
    definition: {
      ...definitionOf({ scope: 'user:9', model: null, limit: 1, currency: 'USD', kind: 'daily', percents: [], amount: null }),
      metadata: { note: name },
    },
  },
});

/** Bytes that no service of ours would append. */
const appendRaw = async (data: string): Promise<number> => {
  const event = {
    id: derivedId('raw'),
    type: 'UsageRecorded',
    version: 1,
    data,
    meta: '{"tenant":"acme"}',
    contentHash: contentHash(data),
  };
  const result = await runs.at.store.append({ partition: 0, stream: usageStream('acme'), events: [event], expectedRevision: 'any' });
  return result.ok ? (result.outcomes[0]?.position ?? 0) : 0;
};
