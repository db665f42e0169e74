import { describe, expect, test } from '@jest/globals';
import { events } from './conformance/events.js';
import { GroupCommit, type GroupLimits, type Settled } from './group-commit.js';
import { type AppendRequest, StoreOverloadedError, StoreUnavailableError } from './port.js';

const LIMITS: GroupLimits = { groupEvents: 10, groupBytes: 1_000_000, queuedEvents: 100, queuedBytes: 1_000_000, queueMs: 1_000 };
const request = (count: number, partition = 0): AppendRequest => ({
  partition,
  stream: 's',
  events: events(count),
  expectedRevision: 'any',
});
const done: Settled = { ok: true, result: { ok: true, outcomes: [], head: 0, revision: 0 } };
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A commit that waits to be let go, and what it was given. */
const held = (limits: Partial<GroupLimits> = {}, now = () => 0) => {
  const groups: (readonly [number, readonly number[]])[] = [];
  const releases: ((error?: unknown) => void)[] = [];
  const commit = new GroupCommit(
    { ...LIMITS, ...limits },
    (partition, requests) => {
      groups.push([partition, requests.map((each) => each.events.length)]);
      return new Promise((resolve) => {
        releases.push((error) => resolve(requests.map(() => (error === undefined ? done : { ok: false, error }))));
      });
    },
    now,
  );
  const release = async (error?: unknown) => {
    releases.shift()?.(error);
    await turn();
  };
  return { commit, groups, release };
};

describe('group commit', () => {
  test('a lone caller is committed at once, whoever comes meanwhile goes together', async () => {
    const { commit, groups, release } = held();
    const first = commit.submit(request(1));
    await turn();
    const rest = [commit.submit(request(2)), commit.submit(request(3))];
    await turn();
    expect(groups).toEqual([[0, [1]]]);
    await release();
    await first;
    expect(groups).toEqual([
      [0, [1]],
      [0, [2, 3]],
    ]);
    await release();
    await Promise.all(rest);
  });

  test('partitions do not wait for each other', async () => {
    const { commit, groups } = held();
    void commit.submit(request(1, 0));
    void commit.submit(request(1, 1));
    await turn();
    expect(groups.map(([partition]) => partition)).toEqual([0, 1]);
  });

  test('a group ends at its limit of events or bytes, but one large request goes alone', async () => {
    const { commit, groups, release } = held();
    for (const count of [6, 4, 1, 25, 2]) void commit.submit(request(count));
    for (let n = 0; n < 4; n += 1) {
      await turn();
      await release();
    }
    expect(groups.map(([, sizes]) => sizes)).toEqual([[6, 4], [1], [25], [2]]);
    const byBytes = held({ groupBytes: 500 });
    for (let n = 0; n < 3; n += 1) void byBytes.commit.submit(request(1));
    await turn();
    expect(byBytes.groups.map(([, sizes]) => sizes.length)).toEqual([2]);
  });

  test('what waits is bounded by events and by bytes, over all partitions, and room comes back', async () => {
    const { commit, release } = held();
    const accepted = commit.submit(request(60, 0));
    await expect(commit.submit(request(41, 1))).rejects.toThrow(StoreOverloadedError);
    await turn();
    await release();
    await accepted;
    const other = commit.submit(request(100, 1));
    await turn();
    await release();
    await other;
    await expect(held({ queuedBytes: 100 }).commit.submit(request(1))).rejects.toThrow(StoreOverloadedError);
  });

  test('a fault reaches the callers of its group and nobody else', async () => {
    const { commit, release } = held();
    const failing = commit.submit(request(1));
    await turn();
    const next = commit.submit(request(1));
    const outcome = expect(failing).rejects.toThrow('broken');
    await release(new Error('broken'));
    await outcome;
    await release();
    await next;
  });

  test('what waited too long is refused when its turn comes, and its room is free again', async () => {
    let now = 0;
    const { commit, groups, release } = held({ queuedEvents: 10 }, () => now);
    void commit.submit(request(1));
    await turn();
    const late = expect(commit.submit(request(5))).rejects.toThrow('nothing was stored');
    now = 600;
    void commit.submit(request(4));
    now = 1_001;
    await release();
    await late;
    expect(groups.map(([, sizes]) => sizes)).toEqual([[1], [4]]);
    void commit.submit(request(6));
    await release();
    expect(groups).toHaveLength(3);
  });

  test('closing waits for what was accepted and refuses the rest', async () => {
    const { commit, release } = held();
    const accepted = commit.submit(request(1));
    let closed = false;
    const closing = commit.close().then(() => {
      closed = true;
    });
    await expect(commit.submit(request(1))).rejects.toThrow(StoreUnavailableError);
    await turn();
    expect(closed).toBe(false);
    await release();
    await Promise.all([accepted, closing]);
  });
});
