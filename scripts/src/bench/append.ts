import { emmettSingles } from './append-emmett.ts';
import { appendBatches, appendSingles, type CallerFigures } from './append-ours.ts';
import { copyLimit } from './copy-limit.ts';
import type { BenchRow } from './row.ts';
import { median, percentile } from './statistics.ts';

const ROUNDS = 3;
const EVENTS = 100_000;
const BATCH = 500;
const CALLERS = 64;
const APPENDS = 40_000;
const EMMETT_APPENDS = 6_000;
const EMMETT_HOT_APPENDS = 1_000;

/**
 * Appends against the COPY limit and against emmett, on one PostgreSQL server with durability on, every round in a fresh database.
 * Each round measures ours and its limit one after the other, so that what else the machine does meets both; the ratio is the median
 * of the rounds' ratios.
 */
export const benchAppend = async (serverUrl: string): Promise<readonly BenchRow[]> => [
  ...(await againstCopy(serverUrl)),
  ...(await againstEmmett(serverUrl, false)),
  ...(await againstEmmett(serverUrl, true)),
];

const againstCopy = async (serverUrl: string): Promise<readonly BenchRow[]> => {
  const rounds: { copy: number; one: number; two: number }[] = [];
  await copyLimit(serverUrl, EVENTS / 5);
  for (let round = 0; round < ROUNDS; round += 1) {
    const copy = await copyLimit(serverUrl, EVENTS);
    const one = await appendBatches(serverUrl, { events: EVENTS, batch: BATCH, partitions: 1 });
    const two = await appendBatches(serverUrl, { events: EVENTS, batch: BATCH, partitions: 2 });
    rounds.push({ copy, one, two });
  }
  const limit = median(rounds.map((round) => round.copy));
  const row = (name: string, key: 'one' | 'two', floor: number, goal: number): BenchRow => ({
    name,
    value: median(rounds.map((round) => round[key])),
    unit: 'events/s',
    limitName: 'text COPY, 1 connection',
    limit,
    ratio: median(rounds.map((round) => round[key] / round.copy)),
    floor,
    goal,
  });
  return [
    row(`append, ${BATCH}-event batches, 1 partition`, 'one', 0.4, 0.6),
    row(`append, ${BATCH}-event batches, 2 partitions`, 'two', 0.6, 0.85),
  ];
};

const againstEmmett = async (serverUrl: string, hot: boolean): Promise<readonly BenchRow[]> => {
  const rounds: { ours: CallerFigures; peer: CallerFigures | null }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const ours = await appendSingles(serverUrl, { appends: APPENDS, callers: CALLERS, hot });
    const appends = hot ? EMMETT_HOT_APPENDS : EMMETT_APPENDS;
    rounds.push({ ours, peer: await emmettSingles(serverUrl, { appends, callers: CALLERS, hot }) });
  }
  const name = `append, ${CALLERS} single-event callers, ${hot ? 'one hot stream' : `${CALLERS} streams`}`;
  const perSecond = ratios(rounds, (figures) => figures.perSecond);
  const p99 = ratios(rounds, (figures) => percentile(figures.latenciesMs, 0.99));
  const peer = {
    limitName: 'emmett-postgresql',
    ...(perSecond.limit === null ? { note: 'emmett-postgresql: not run, not installed' } : {}),
  };
  return [
    {
      name,
      ...perSecond,
      unit: 'events/s',
      ...peer,
      floor: hot ? 40 : 8,
      goal: hot ? 70 : 12,
    },
    { name: `${name}, p99`, ...p99, unit: 'ms', ...peer, lowerIsBetter: true, ...(hot ? {} : { floor: 0.25, goal: 0.12 }) },
  ];
};

const ratios = (rounds: readonly { ours: CallerFigures; peer: CallerFigures | null }[], of: (figures: CallerFigures) => number) => {
  const value = median(rounds.map((round) => of(round.ours)));
  const peers = rounds.flatMap((round) => (round.peer === null ? [] : [{ ours: of(round.ours), peer: of(round.peer) }]));
  if (peers.length === 0) return { value, limit: null, ratio: null };
  return { value, limit: median(peers.map((round) => round.peer)), ratio: median(peers.map((round) => round.ours / round.peer)) };
};
