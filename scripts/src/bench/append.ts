import { emmettSingles } from './append-emmett.ts';
import { appendBatches, appendSingles, type CallerFigures } from './append-ours.ts';
import { copyLimit } from './copy-limit.ts';
import type { BenchRow } from './row.ts';
import { median, percentile } from './statistics.ts';
import type { Suite } from './suite.ts';

const ROUNDS = 3;
const EVENTS = 100_000;
const BATCH = 500;
const CALLERS = 64;
const APPENDS = 40_000;
const EMMETT_APPENDS = 6_000;
const EMMETT_HOT_APPENDS = 1_000;

const batchesName = (partitions: number): string => `append, ${BATCH}-event batches, ${partitions} partition${partitions === 1 ? '' : 's'}`;
const singlesName = (hot: boolean): string => `append, ${CALLERS} single-event callers, ${hot ? 'one hot stream' : `${CALLERS} streams`}`;

/**
 * Appends against the COPY limit and against emmett, on one PostgreSQL server with durability on, every round in a fresh database.
 * Each round measures ours and its limit one after the other, so that what else the machine does meets both; the ratio is the median
 * of the rounds' ratios.
 */
export const appendSuite: Suite = {
  about: 'durable appends beside COPY and emmett-postgresql',
  rows: [batchesName(1), batchesName(2), singlesName(false), `${singlesName(false)}, p99`, singlesName(true), `${singlesName(true)}, p99`],
  run: async (system, emit) => {
    const { eventStoreUrl } = await system();
    emit(...(await againstCopy(eventStoreUrl)));
    for (const hot of [false, true]) emit(...(await againstEmmett(eventStoreUrl, hot)));
  },
};

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
  return [row(batchesName(1), 'one', 0.4, 0.6), row(batchesName(2), 'two', 0.6, 0.85)];
};

const againstEmmett = async (serverUrl: string, hot: boolean): Promise<readonly BenchRow[]> => {
  const rounds: { ours: CallerFigures; peer: CallerFigures | null }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const ours = await appendSingles(serverUrl, { appends: APPENDS, callers: CALLERS, hot });
    const appends = hot ? EMMETT_HOT_APPENDS : EMMETT_APPENDS;
    rounds.push({ ours, peer: await emmettSingles(serverUrl, { appends, callers: CALLERS, hot }) });
  }
  const name = singlesName(hot);
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
