import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { Writer } from './support/enforcement.js';
import { expectExactBalances, untilCaughtUp } from './support/exact.js';
import { type Projector, Projectors } from './support/processes.js';
import { eventually, type Real, real } from './support/real.js';

let at: Real;
let projectors: Projectors;
beforeAll(async () => {
  at = await real();
  projectors = new Projectors(at, { PARTITION_LEASE_MS: '4000' });
});
afterAll(async () => {
  projectors?.killAll();
  await at?.close();
});

/** A projector's transaction has moved the checkpoint and waits for a table that somebody has locked. */
const isInCommit = async (): Promise<boolean> => {
  const { rows } = await sql`
    SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'budget-projector' AND wait_event_type = 'Lock'`.execute(at.db);
  return rows.length > 0;
};

const said = ({ lines }: Projector): readonly string[] => lines.map(({ msg }) => msg);

test('an owner frozen between BEGIN and COMMIT: its heir waits no longer than it may for a lock, and the owner, woken, commits nothing', async () => {
  const first = await projectors.start();
  await eventually(
    () => projectors.owner,
    (owner) => owner === first,
  );
  const second = await projectors.start();
  const write = new Writer(at, 'frozen');
  await write.budget('b', { scope: 'tenant:acme', limit: 100, percents: [50] });
  await write.use('user:a', '10');
  await untilCaughtUp(at);

  await at.db.transaction().execute(async (trx) => {
    await sql`SET LOCAL idle_in_transaction_session_timeout = '90s'`.execute(trx);
    await sql`LOCK TABLE projection.definition_event IN SHARE ROW EXCLUSIVE MODE`.execute(trx);
    await write.scope('team:new');
    await write.use('user:a', '45');
    await eventually(isInCommit, (is) => is);
    first.process.kill('SIGSTOP');
  });
  // The lock is gone, so the server has done what it was sent; the rest of the transaction does not come.
  await eventually(
    () => projectors.owner,
    (owner) => owner === second,
  );
  await untilCaughtUp(at);
  // It got the checkpoint at once, with whatever the frozen one had done to it undone.
  expect(said(second)).not.toContain('partition failed; it begins again at its checkpoint');
  expect(said(second)).not.toContain('breakdown failed; it begins again at its checkpoint');

  first.process.kill('SIGCONT');
  await eventually(
    () => said(first),
    (lines) => lines.includes('the lease ran out and another process has it') && lines.some((line) => line.startsWith('partition failed')),
  );
  await write.use('user:a', '5');
  await untilCaughtUp(at);
  await expectExactBalances(at);
  expect(projectors.owner).toBe(second);
  expect(await projectors.stop(first, second)).toEqual([0, 0]);
}, 150_000);
