import { expect } from '@jest/globals';
import { sql } from 'kysely';
import { areEpisodes, episodesOf, judged, oracleLines, reachedIn } from './expectations.js';
import { balanceLines, eventually, ledgerOf, type Real } from './real.js';

/** Everything the store holds is folded by both projections, sent, and counted. */
export const untilCaughtUp = async (at: Real): Promise<void> => {
  await eventually(
    async () => {
      const [head] = await at.store.heads();
      const rows = await at.db.selectFrom('projection.checkpoint').select(['projection', 'position']).execute();
      const outbox = await at.db.selectFrom('projection.outbox').select('id').execute();
      const counting = await at.tables.counting();
      const correcting = await at.tables.priceCorrections();
      return { head: head?.position ?? 0, rows, outbox: outbox.length, counting: counting.length + correcting.length };
    },
    ({ head, rows, outbox, counting }) => rows.length === 2 && rows.every(({ position }) => position === head) && outbox + counting === 0,
  );
};

/** Balances, thresholds and the breakdown's root are what the whole ledger says. */
export const expectExactBalances = async (at: Real): Promise<void> => {
  const events = await ledgerOf(at.store);
  expect(await balanceLines(at.db)).toEqual(oracleLines(events));
  for (const [key, said] of episodesOf(events)) expect([key, said, areEpisodes(said)]).toEqual([key, said, true]);
  const crossed = await at.db.selectFrom('projection.threshold').selectAll().where('crossed', '=', true).execute();
  const keys = new Set(crossed.map(({ budget_id, period_start, threshold }) => `${budget_id} ${period_start} ${threshold}`));
  expect(
    judged(events)
      .filter(({ name }) => keys.has(name))
      .map(({ name }) => name),
  ).toEqual(reachedIn(events));
  const { rows } = await sql<{
    events: string;
  }>`SELECT sum(events)::int AS events FROM projection.rollup WHERE scope = 'tenant:acme'`.execute(at.db);
  const count = (wanted: string): number => events.filter(({ type }) => type === wanted).length;
  expect(rows[0]?.events ?? 0).toBe(count('UsageRecorded') - count('UsageVoided'));
};
