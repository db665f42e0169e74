import { Committer } from './committer.js';
import { BreakdownFold } from './fold-breakdown.js';
import type { Ledger } from './ledger.js';
import { Pace } from './pace.js';
import { CheckpointAheadOfStoreError } from './project-partition.js';
import type { ProjectionTables } from './projection-tables.js';
import type { TenantHistories } from './tenant-histories.js';
import type { Watermark } from './watermark.js';

export type BreakdownOptions = Readonly<{
  partition: number;
  signal: AbortSignal;
  maxEvents: number;
  pauseMs: number;
  mostPending: number;
}>;

/**
 * The breakdown's own loop over a partition, with its own checkpoint. It stays behind what the main loop has committed, whose
 * definitions it reads, and never holds the main loop up.
 */
export const projectBreakdown = async (
  tables: ProjectionTables,
  ledger: Ledger,
  histories: TenantHistories,
  main: Watermark,
  options: BreakdownOptions,
  committed: (position: number, events: number) => void,
): Promise<void> => {
  const { partition, signal, maxEvents, pauseMs, mostPending } = options;
  let fence = await tables.take('breakdown', partition);
  const head = await ledger.head(partition);
  if (head < fence.position) throw new CheckpointAheadOfStoreError(partition, fence.position, head);
  const fold = new BreakdownFold(tables, histories);
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const committer = new Committer(
    {
      pending: () => fold.events,
      take: () => fold.take(),
      write: async (batch) => {
        fence = await tables.commitBreakdown(fence, batch);
        committed(batch.position, batch.events);
      },
    },
    new Pace(pauseMs),
    mostPending,
    () => failed.abort(),
  );
  try {
    await ledger.follow({ partition, after: fence.position, maxEvents, signal: stop }, async (items) => {
      await main.reached(items.at(-1)?.position ?? 0, stop);
      if (stop.aborted) return;
      await committer.around(() => fold.fold(items, () => committer.flush()));
    });
    await committer.flush();
  } finally {
    await committer.stop();
  }
};
