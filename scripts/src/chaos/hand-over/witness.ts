import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { readState } from '../../up/files.ts';

const METRICS_EVERY_MS = 500;
const POSITIONS_EVERY_MS = 100;
const SILENT_MS = 400;
/** Counters that say what the run must have seen, summed over all processes that there ever were. */
const WATCHED = {
  lostCompareAndSets: 'bursar_projector_lost_compare_and_sets_total',
  gapsRead: 'bursar_bus_gaps_read_total',
  takeovers: 'bursar_projector_takeovers_total',
  leasesLost: 'bursar_projector_leases_lost_total',
} as const;
export type Counts = Record<keyof typeof WATCHED, number>;
const NAMES = Object.keys(WATCHED) as (keyof Counts)[];

/** A partition with events to fold that did not move. */
export type Stall = Readonly<{ partition: number; ms: number }>;

/** Looks on from outside: the projectors' counters, and how long partitions stood still. */
export class Witness {
  readonly stalls: Stall[] = [];
  /** The last figures of each process: who is killed takes at most half a second of its own with it. */
  readonly #ofProcess = new Map<string, Counts>();
  readonly #standing = new Map<number, { position: number; since: number }>();

  readonly #dataDir: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  get counts(): Counts {
    const sum: Counts = { lostCompareAndSets: 0, gapsRead: 0, takeovers: 0, leasesLost: 0 };
    for (const counts of this.#ofProcess.values()) for (const name of NAMES) sum[name] += counts[name];
    return sum;
  }

  async run(stop: AbortSignal): Promise<void> {
    await Promise.all([
      every(METRICS_EVERY_MS, stop, () => this.readMetrics()),
      every(POSITIONS_EVERY_MS, stop, () => this.#readPositions()),
    ]);
  }

  /** Of every projector that answers. */
  async readMetrics(): Promise<void> {
    const ports = Object.entries(readState(this.#dataDir, 'ports') ?? {});
    const projectors = ports.filter(([label]) => label.startsWith('budget-projector') && label.endsWith('.ops'));
    await Promise.all(
      projectors.map(async ([, port]) => {
        const text = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(SILENT_MS) })
          .then((response) => response.text())
          .catch(() => null);
        if (text === null) return;
        const start = text.match(/^process_start_time_seconds\S* (\S+)$/m)?.[1];
        const counts = Object.fromEntries(NAMES.map((name) => [name, sumOf(text, WATCHED[name])])) as Counts;
        this.#ofProcess.set(`${port} ${start}`, counts);
      }),
    );
  }

  async #readPositions(): Promise<void> {
    const rows = await query<{ partition: number; head: number; position: number }>(
      this.#dataDir,
      `SELECT head.partition, head.position::float8 AS head, checkpoint.position::float8 AS position
       FROM store.partitions AS head JOIN projection.checkpoint USING (partition) WHERE projection = 'budget'`,
    );
    const now = performance.now();
    for (const { partition, head, position } of rows) {
      const standing = this.#standing.get(partition);
      if (standing !== undefined && position === standing.position && head > position) continue;
      if (standing !== undefined) this.stalls.push({ partition, ms: now - standing.since });
      if (head > position) this.#standing.set(partition, { position, since: now });
      else this.#standing.delete(partition);
    }
  }
}

/** One short question; fails quickly, so that a server that is down does not hold the run up. */
export const query = async <R extends pg.QueryResultRow>(
  dataDir: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly R[]> => {
  const client = new pg.Client({
    connectionString: readState(dataDir, 'run')?.databaseUrl,
    connectionTimeoutMillis: 2_000,
    query_timeout: 30_000,
  });
  client.on('error', () => undefined); // the question fails
  try {
    await client.connect();
    return (await client.query<R>(text, [...values])).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
};

const every = async (ms: number, stop: AbortSignal, look: () => Promise<void>): Promise<void> => {
  while (!stop.aborted) {
    await look().catch(() => undefined); // what is away is looked at again
    await delay(ms, undefined, { signal: stop }).catch(() => undefined);
  }
};

const sumOf = (text: string, name: string): number => {
  let sum = 0;
  for (const line of text.split('\n')) {
    if (line.startsWith(name) && /^[ {]/.test(line.slice(name.length))) sum += Number(line.slice(line.lastIndexOf(' ')));
  }
  return sum;
};
