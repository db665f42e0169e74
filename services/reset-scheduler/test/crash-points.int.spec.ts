import { type EpochNs, type EventOf, type LedgerEvent, partitionOf } from '@bursar/contracts';
import { Checkpoints } from '@bursar/leases';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { CONSUMER } from '../src/adapters/sql/checkpoints.js';
import { StoreLedger } from '../src/adapters/store/ledger.js';
import type { Saying } from '../src/domain/say.js';
import { CloseDue, type CloseWatch } from '../src/features/close-due.js';
import { PartitionFollower } from '../src/features/follow-partition.js';
import type { BudgetVersion, FollowOptions } from '../src/features/ledger.js';
import { Ledger } from '../src/features/ledger.js';
import { TENANT } from './support/events.js';
import { ALONE, leaseOf } from './support/leases.js';
import { eventually, makeBudget, PARTITIONS, saidOf, startWorld, type World } from './support/world.js';

class Killed extends Error {
  override readonly name = 'Killed';
}

/** A ledger that dies before or after an append, as often as it is told. */
class Mortal extends Ledger {
  dies: 'before' | 'after' | null = null;
  constructor(private readonly real: StoreLedger) {
    super();
  }
  get partitions(): number {
    return this.real.partitions;
  }
  follow(options: FollowOptions, handler: (events: readonly LedgerEvent[], last: number) => Promise<void>): Promise<void> {
    return this.real.follow(options, handler);
  }
  look(partition: number): void {
    this.real.look(partition);
  }
  heads(): Promise<ReadonlyMap<number, number>> {
    return this.real.heads();
  }
  history(tenant: string, budgetId: string): Promise<readonly BudgetVersion[]> {
    return this.real.history(tenant, budgetId);
  }
  async append(partition: number, sayings: readonly Saying[]): Promise<readonly boolean[]> {
    if (this.dies === 'before') throw new Killed();
    const isNew = await this.real.append(partition, sayings);
    if (this.dies === 'after') throw new Killed();
    return isNew;
  }
}

const SECOND = 1_000_000_000n;
const partition = partitionOf(TENANT, PARTITIONS);
let world: World;
let ledger: Mortal;
const failures: { budgetId: string; stuck: boolean }[] = [];
const watch: CloseWatch = {
  said: () => undefined,
  failed: (_tenant, budgetId, _error, stuck) => void failures.push({ budgetId, stuck }),
};
const stop = new AbortController();
let following: Promise<void>;

beforeAll(async () => {
  world = await startWorld();
  ledger = new Mortal(new StoreLedger(world.store, world.bus));
  const follower = new PartitionFollower(new Checkpoints(world.db, CONSUMER), ledger, partition, ALONE);
  following = follower.run(await follower.take((await leaseOf(world, partition)).key), stop.signal);
});
afterAll(async () => {
  stop.abort();
  await following;
  await world.close();
});

const HOURLY = { kind: 'rolling', length: '1h', timezone: 'UTC', recurring: true } as const;
/** The timer of a new budget is there, and the projection knows the budget. */
const made = async (): Promise<string> => {
  const id = await makeBudget(world, { period: HOURLY });
  await eventually(
    async () =>
      (await world.db.selectFrom('scheduler.timer').select('budget_id').where('budget_id', '=', id).execute()).length +
      (await world.db.selectFrom('projection.budget').select('budget_id').where('budget_id', '=', id).execute()).length,
    (rows) => rows === 2,
  );
  return id;
};
/** A clock that is given: that of the hour after next. */
const later = async (hours: bigint): Promise<EpochNs> =>
  BigInt(Math.trunc(await world.store.clock())) * 1_000_000n + hours * 3_600n * SECOND;
const dieAndComeBack = async (dies: Mortal['dies'], until: EpochNs): Promise<void> => {
  const dying = new CloseDue(world.db, ledger, watch);
  ledger.dies = dies;
  await dying.turn(partition, until, 100);
  ledger.dies = null;
};
const starts = (events: readonly EventOf<'PeriodEnded'>[]): readonly string[] => events.map(({ data }) => data.periodStart);

test.each(['before', 'after'] as const)('resets doubled #34733: dying %s the append says every period once', async (dies) => {
  const id = await made();
  const until = await later(3n);
  await dieAndComeBack(dies, until);
  const before = await saidOf(world, id, 'PeriodEnded');
  expect(before).toHaveLength(dies === 'before' ? 0 : 3);
  // The turn that failed is tried again later; here its retry is brought forward.
  await sql`UPDATE scheduler.timer SET due_at = now() WHERE budget_id = ${id}`.execute(world.db);
  while ((await new CloseDue(world.db, ledger, watch).turn(partition, until, 100)).timers > 0) {
    // Until nothing is due.
  }
  const after = await saidOf(world, id, 'PeriodEnded');
  expect(after).toHaveLength(3);
  expect(new Set(starts(after)).size).toBe(3);
  expect(after.slice(0, before.length)).toEqual(before);
  expect(await saidOf(world, id, 'PeriodStarted')).toHaveLength(3);
});

test('dying after the append and before the commit leaves the timer due, and the ledger moves it', async () => {
  const id = await made();
  const until = await later(2n);
  // The transaction that would move the timer is ended by force, as kill -9 does.
  const breaking = new Mortal(new StoreLedger(world.store, world.bus));
  const append = breaking.append.bind(breaking);
  breaking.append = async (at, sayings) => {
    await append(at, sayings);
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE state = 'idle in transaction' AND application_name = current_setting('application_name') AND pid <> pg_backend_pid() AND datname = current_database()`.execute(
      world.db,
    );
    return sayings.map(() => true);
  };
  await expect(new CloseDue(world.db, breaking, watch).turn(partition, until, 100)).rejects.toThrow();
  const said = await saidOf(world, id, 'PeriodEnded');
  expect(said).toHaveLength(2);
  await eventually(
    async () => (await world.db.selectFrom('scheduler.timer').select('open_start').where('budget_id', '=', id).execute())[0]?.open_start,
    (openStart) => openStart === said[1]?.data.periodEnd,
  );
});

test('what fails three times more is stuck, seen, and goes on when it is retried', async () => {
  const id = await made();
  const until = await later(2n);
  ledger.dies = 'before';
  failures.length = 0;
  for (let turn = 0; turn < 4; turn += 1) {
    await sql`UPDATE scheduler.timer SET due_at = now() WHERE budget_id = ${id}`.execute(world.db);
    await new CloseDue(world.db, ledger, watch).turn(partition, until, 100);
  }
  ledger.dies = null;
  const own = failures.filter(({ budgetId }) => budgetId === id);
  expect(own.map(({ stuck }) => stuck)).toEqual([false, false, false, true]);
  const stuck = await world.db.selectFrom('scheduler.timer').selectAll().where('stuck', 'is not', null).execute();
  expect(stuck).toMatchObject([{ budget_id: id, stuck: 'Killed: ', failures: 4 }]);
  await new CloseDue(world.db, ledger, watch).turn(partition, until, 100);
  expect(await saidOf(world, id, 'PeriodEnded')).toEqual([]);

  await sql`UPDATE scheduler.timer SET stuck = NULL, stuck_since = NULL, failures = 0, due_at = now() WHERE stuck IS NOT NULL`.execute(
    world.db,
  );
  await new CloseDue(world.db, ledger, watch).turn(partition, until, 100);
  expect(await saidOf(world, id, 'PeriodEnded')).toHaveLength(2);
});
