import type pg from 'pg';
import type { NewRow } from '../decide-group.js';
import type { Settled } from '../group-commit.js';
import { formatMicros } from '../instants.js';
import { type AppendedRange, type AppendRequest, type StoredEvent, StoreUnavailableError } from '../port.js';
import { appendGroup, type Committed } from './append-group.js';
import { failureOf, isLockTimeout } from './failures.js';
import { freeHeads } from './free-heads.js';
import type { StoreSettings } from './options.js';
import { PartitionMemory } from './partition-memory.js';

const MAX_TRIES = 5;
const BACKOFF_MS = 10;

/** Commits groups of appends, tells what it stored, and gives every request its own fate. */
export class Writer {
  private readonly memories = new Map<number, PartitionMemory>();

  constructor(
    private readonly pool: pg.Pool,
    private readonly settings: StoreSettings,
    private readonly committed: (range: () => AppendedRange, partition: number) => void,
  ) {}

  /** Never rejects. */
  async commit(partition: number, requests: readonly AppendRequest[]): Promise<readonly Settled[]> {
    try {
      const committed = await this.tryCommit(partition, requests);
      if (committed.rows.length > 0) this.committed(() => rangeOf(partition, committed), partition);
      return committed.results.map((result) => ({ ok: true, result }));
    } catch (error) {
      if (failureOf(error) !== 'refused') return requests.map(() => ({ ok: false, error: unavailable(error) }));
      if (requests.length === 1) return [{ ok: false, error }];
      // One of them is refused by the server itself: each alone, so that it takes none of the others with it.
      const settled: Settled[] = [];
      for (const request of requests) settled.push(...(await this.commit(partition, [request])));
      return settled;
    }
  }

  /** Tries again what was rolled back for reasons of timing, or because of a process that stands still. */
  private async tryCommit(partition: number, requests: readonly AppendRequest[]): Promise<Committed> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.onConnection(partition, requests);
      } catch (error) {
        const isWorthIt = failureOf(error) === 'transient' || (isLockTimeout(error) && (await this.freedHeads()));
        if (!isWorthIt || tries === MAX_TRIES) throw error;
        this.settings.warn(`an append to partition ${partition} is tried again`, error);
        await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS * 2 ** tries * Math.random()));
      }
    }
  }

  private async freedHeads(): Promise<boolean> {
    try {
      const ended = await freeHeads(this.pool);
      if (ended > 0) this.settings.warn(`${ended} sessions that had stopped in mid-append were ended`, null);
      return ended > 0;
    } catch (error) {
      this.settings.warn('sessions that may have stopped in mid-append could not be looked for', error);
      return false;
    }
  }

  private async onConnection(partition: number, requests: readonly AppendRequest[]): Promise<Committed> {
    const memory = this.memoryOf(partition);
    const client = await this.pool.connect();
    try {
      const committed = await appendGroup({ client, partition, memory, timeoutMs: this.settings.replyTimeoutMs }, requests);
      client.release();
      return committed;
    } catch (error) {
      client.release(true);
      memory.forget();
      memory.expectKnownIds();
      throw error;
    }
  }

  private memoryOf(partition: number): PartitionMemory {
    const memory = this.memories.get(partition) ?? new PartitionMemory();
    this.memories.set(partition, memory);
    return memory;
  }
}

const rangeOf = (partition: number, { rows, recordedMicros, link }: Committed): AppendedRange => {
  const recordedAt = formatMicros(recordedMicros);
  const events = rows.map((row) => storedEvent(partition, row, recordedAt));
  return { partition, first: rows[0]?.position ?? 0, last: rows.at(-1)?.position ?? 0, link, events };
};

const storedEvent = (partition: number, row: NewRow, recordedAt: string): StoredEvent => {
  const { position, stream, revision, id, type, version, data, meta, contentHash } = row;
  return { partition, position, stream, revision, id, type, version, data, meta, contentHash, recordedAt };
};

const unavailable = (cause: unknown): StoreUnavailableError => {
  if (cause instanceof StoreUnavailableError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StoreUnavailableError(`the append was not confirmed: ${reason}`, { cause });
};
