import { afterEach, expect, test } from '@jest/globals';
import { PartitionOwner } from './own-partitions.js';
import { PartitionLocks } from './partition-locks.js';
import type { PartitionRunner } from './run-partition.js';

/** Locks of one server, shared by the members that opened a session. */
class Server {
  readonly held = new Map<number, Locks>();
  readonly sessions = new Set<Locks>();
}

class Locks extends PartitionLocks {
  #onLost: (error: Error) => void = () => undefined;
  constructor(private readonly server: Server) {
    super();
  }
  async open(onLost: (error: Error) => void): Promise<void> {
    this.#onLost = onLost;
    this.server.sessions.add(this);
  }
  async tryLock(partition: number): Promise<boolean> {
    if (this.server.held.has(partition)) return false;
    this.server.held.set(partition, this);
    return true;
  }
  async unlock(partition: number): Promise<void> {
    this.server.held.delete(partition);
  }
  async members(): Promise<number> {
    return this.server.sessions.size;
  }
  async close(): Promise<void> {
    this.server.sessions.delete(this);
    for (const [partition, holder] of this.server.held) if (holder === this) this.server.held.delete(partition);
  }
  lose(): void {
    void this.close();
    this.#onLost(new Error('connection lost'));
  }
}

const owners: PartitionOwner[] = [];
afterEach(async () => {
  for (const owner of owners.splice(0)) await owner.stop();
});

const member = (server: Server) => {
  const locks = new Locks(server);
  const running = new Set<number>();
  const runnerOf = (partition: number) => ({
    status: { status: 'running' },
    run: async (signal: AbortSignal) => {
      if (running.has(partition)) throw new Error('run twice');
      running.add(partition);
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (!signal.aborted) await promise;
      running.delete(partition);
    },
  });
  const owner = new PartitionOwner(
    locks,
    6,
    (partition) => runnerOf(partition) as unknown as PartitionRunner,
    () => undefined,
  );
  owners.push(owner);
  owner.start();
  return { owner, locks, running };
};

const until = async (holds: () => boolean): Promise<void> => {
  const deadline = Date.now() + 10_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('did not come to hold');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

test('one takes everything, two share evenly, and what one leaves the other takes', async () => {
  const server = new Server();
  const one = member(server);
  await until(() => one.running.size === 6);
  const two = member(server);
  await until(() => one.running.size === 3 && two.running.size === 3);
  expect([...one.running, ...two.running].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  await one.owner.stop();
  await until(() => two.running.size === 6);
});

test('with the connection that holds the locks every partition stops, and is taken again', async () => {
  const server = new Server();
  const one = member(server);
  await until(() => one.running.size === 6);
  one.locks.lose();
  await until(() => one.running.size === 0);
  expect(one.owner.settled).toBe(false);
  await until(() => one.running.size === 6 && one.owner.settled);
});
