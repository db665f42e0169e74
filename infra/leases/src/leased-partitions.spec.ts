import { afterAll, afterEach, expect, test } from '@jest/globals';
import { Lease } from './lease.js';
import { LeasedPartitions } from './leased-partitions.js';
import { type LeaseView, PartitionLeases } from './partition-leases.js';

const PARTITIONS = 6;
const TTL_MS = 120;
type Row = { owner: string | null; epoch: number; expiresAt: number };

/** The time of all members, ms: it goes on by at most 10 ms at a time, so that no lease runs out for a machine that stood still. */
let clock = 0;
let lookedAt = performance.now();
const ticking = setInterval(() => {
  const at = performance.now();
  clock += Math.min(at - lookedAt, 10);
  lookedAt = at;
}, 5);
afterAll(() => clearInterval(ticking));

/** One table of leases, shared by its members. */
class Table {
  readonly rows = new Map<number, Row>();
  readonly replicas = new Map<string, number>();
  moves = 0;

  isFree(partition: number): boolean {
    return (this.rows.get(partition)?.expiresAt ?? 0) <= clock;
  }
}

class Leases extends PartitionLeases {
  readonly ttlMs = TTL_MS;
  /** As SIGSTOP: nothing gets through until it is woken. */
  asleep: Promise<void> | null = null;
  failing = false;

  constructor(
    private readonly table: Table,
    readonly replica: string,
  ) {
    super();
  }

  async renew(held: readonly Lease[]): Promise<LeaseView> {
    const liveUntil = clock + this.ttlMs;
    await this.asleep;
    if (this.failing) throw new Error('out of reach');
    const { rows, replicas } = this.table;
    const expiresAt = clock + this.ttlMs;
    replicas.set(this.replica, expiresAt);
    const kept = held.filter(({ key }) => {
      const row = rows.get(key.partition);
      if (row?.owner !== this.replica || row.epoch !== key.epoch) return false;
      row.expiresAt = expiresAt;
      return true;
    });
    const live = [...replicas].filter(([, until]) => until > clock).map(([replica]) => replica);
    const heldBy = (replica: string): number =>
      [...rows].filter(([partition, { owner }]) => owner === replica && !this.table.isFree(partition)).length;
    const counts = new Map(live.map((replica) => [replica, heldBy(replica)]));
    const free = Array.from({ length: PARTITIONS }, (_, partition) => partition).filter((partition) => this.table.isFree(partition)).length;
    return { kept: new Set(kept.map(({ partition }) => partition)), liveUntil, replicas: counts, free };
  }

  async acquire(limit: number, except: readonly number[]): Promise<readonly Lease[]> {
    await this.asleep;
    const taken: Lease[] = [];
    for (let partition = 0; partition < PARTITIONS && taken.length < limit; partition += 1) {
      if (!this.table.isFree(partition) || except.includes(partition)) continue;
      const epoch = (this.table.rows.get(partition)?.epoch ?? 0) + 1;
      const expiresAt = clock + this.ttlMs;
      this.table.rows.set(partition, { owner: this.replica, epoch, expiresAt });
      this.table.moves += 1;
      taken.push(new Lease({ partition, epoch, owner: this.replica }, expiresAt, () => clock));
    }
    return taken;
  }

  async urlOfOwner(): Promise<string | null> {
    return null;
  }

  async release({ key }: Lease): Promise<void> {
    await this.asleep;
    const row = this.table.rows.get(key.partition);
    if (row?.owner === key.owner && row.epoch === key.epoch) this.table.rows.set(key.partition, { ...row, owner: null, expiresAt: 0 });
  }

  async leave(): Promise<void> {
    this.table.replicas.delete(this.replica);
  }

  async close(): Promise<void> {}
}

const members: ReturnType<typeof member>[] = [];
afterEach(async () => {
  await Promise.all(members.splice(0).map(({ owner }) => owner.stop()));
});

const member = (table: Table, name: string, lasts: Promise<void> | null = null) => {
  const leases = new Leases(table, name);
  const running = new Set<number>();
  const lost: number[] = [];
  const stuck: number[] = [];
  const runnerOf = ({ partition }: Lease) => ({
    isTaken: true,
    run: async (signal: AbortSignal) => {
      if (running.has(partition)) throw new Error('run twice');
      running.add(partition);
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (!signal.aborted) await promise;
      await leases.asleep;
      await lasts;
      running.delete(partition);
    },
  });
  const watch = {
    lost: (partition: number) => lost.push(partition),
    trouble: () => undefined,
    stuck: (partition: number) => stuck.push(partition),
  };
  const owner = new LeasedPartitions(leases, PARTITIONS, runnerOf, watch, TTL_MS);
  owner.start();
  return { owner, leases, running, lost, stuck };
};

/** `lasts`: what it runs does not end before. */
const join = (table: Table, name: string, lasts: Promise<void> | null = null) => {
  const one = member(table, name, lasts);
  members.push(one);
  return one;
};

const until = async (holds: () => boolean): Promise<void> => {
  const deadline = performance.now() + 60_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('did not come to hold');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};
const sizes = (...all: readonly { running: Set<number> }[]): string => all.map(({ running }) => running.size).join(' ');

test('one takes everything; who joins gets a fair share and no more moves; what one leaves the others take at once', async () => {
  const table = new Table();
  const one = join(table, 'a');
  await until(() => one.running.size === 6 && one.owner.settled);
  const two = join(table, 'b');
  const three = join(table, 'c');
  await until(() => sizes(one, two, three) === '2 2 2');
  const { moves } = table;
  await new Promise((resolve) => setTimeout(resolve, 2 * TTL_MS));
  expect([sizes(one, two, three), table.moves]).toEqual(['2 2 2', moves]);
  await one.owner.stop();
  expect([...table.rows.values()].filter(({ owner }) => owner === 'a')).toEqual([]);
  await until(() => sizes(two, three) === '3 3');
  expect([one.lost, two.lost, three.lost]).toEqual([[], [], []]);
});

test('who sleeps loses its partitions when the lease has run out, knows it by its own clock, and gives them up on waking', async () => {
  const table = new Table();
  const one = join(table, 'a');
  await until(() => one.running.size === 6);
  const two = join(table, 'b');
  await until(() => sizes(one, two) === '3 3');
  const leases = [...one.running].map((partition) => one.owner.leaseOf(partition));
  expect(leases.map((lease) => lease?.isLive())).toEqual([true, true, true]);
  const asleep = Promise.withResolvers<void>();
  one.leases.asleep = asleep.promise;
  await until(() => two.running.size === 6);
  expect(leases.map((lease) => lease?.isLive())).toEqual([false, false, false]);
  one.leases.asleep = null;
  asleep.resolve();
  await until(() => one.lost.length === 3);
  expect(leases.map((lease) => lease?.isLive())).toEqual([false, false, false]);
  await until(() => sizes(one, two) === '3 3');
});

test('while the leases are out of reach the partitions are kept, and no plain answer is given once they may be another’s', async () => {
  const table = new Table();
  const one = join(table, 'a');
  await until(() => one.running.size === 6);
  one.leases.failing = true;
  const lease = one.owner.leaseOf(0);
  await until(() => lease?.isLive() === false);
  expect(one.running.size).toBe(6);
  one.leases.failing = false;
  await until(() => lease?.isLive() === true);
  expect(one.lost).toEqual([]);
});

test('a partition whose work does not end when it is told to, lost or given up, is said to be stuck; one that ends is not', async () => {
  const table = new Table();
  const { promise: lasts, resolve: end } = Promise.withResolvers<void>();
  const one = join(table, 'a', lasts);
  await until(() => one.running.size === 6);
  table.rows.set(0, { owner: 'usurper', epoch: 9, expiresAt: Number.POSITIVE_INFINITY });
  const two = join(table, 'b');
  await until(() => one.stuck.length > 1);
  expect([one.stuck.includes(0), one.lost]).toEqual([true, [0]]);
  end();
  await until(() => one.running.size <= 3 && two.running.size >= 2);
  expect(two.stuck).toEqual([]);
});

test('a lease that is over is never live again', () => {
  let now = 0;
  const lease = new Lease({ partition: 0, owner: 'a', epoch: 1 }, 100, () => now);
  now = 99;
  expect(lease.isLive()).toBe(true);
  now = 100;
  expect(lease.isLive()).toBe(false);
  lease.renewed(200);
  expect(lease.isLive()).toBe(true);
  lease.renewed(150); // an answer that was overtaken by a later one
  now = 180;
  expect(lease.isLive()).toBe(true);
  lease.end();
  lease.renewed(1_000);
  expect(lease.isLive()).toBe(false);
});
