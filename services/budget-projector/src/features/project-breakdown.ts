import type { Lease } from '@bursar/leases';
import { Committer } from './committer.js';
import { BreakdownFold } from './fold-breakdown.js';
import { CheckpointAheadOfStoreError } from './halts.js';
import type { Folded } from './handover.js';
import type { Ledger } from './ledger.js';
import { Pace } from './pace.js';
import type { ProcessShare } from './process-share.js';
import type { PartitionSession } from './project-partition.js';
import type { ProjectionTables } from './projection-tables.js';

export type BreakdownOptions = Readonly<{
  lease: Lease;
  signal: AbortSignal;
  maxEvents: number;
  pauseMs: number;
  share: ProcessShare;
  mostPending: number;
}>;

export type BreakdownWatch = Readonly<{
  taken: (position: number) => void;
  committed: (position: number, events: number) => void;
}>;

/** Folded without a pause, at most: some milliseconds. */
const PORTION = 500;

/** What the breakdown needs of the session it runs beside. */
type MainLoop = Pick<PartitionSession, 'committed' | 'handover' | 'histories'>;

/**
 * The breakdown's own loop over a partition, with its own checkpoint. It stays behind what the main loop has committed, whose
 * definitions it reads, and never holds the main loop up.
 */
export const projectBreakdown = async (
  tables: ProjectionTables,
  ledger: Ledger,
  main: MainLoop,
  options: BreakdownOptions,
  watch: BreakdownWatch,
): Promise<void> => {
  const { lease, signal, maxEvents, pauseMs, share, mostPending } = options;
  const { partition } = lease;
  let fence = await tables.take('breakdown', lease.key);
  const head = await ledger.head(partition);
  if (head < fence.position) throw new CheckpointAheadOfStoreError(partition, fence.position, head);
  watch.taken(fence.position);
  const fold = new BreakdownFold(tables, main.histories);
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const committer = new Committer(
    {
      pending: () => fold.events,
      isNews: () => false,
      take: () => fold.take(),
      write: async (batch) => {
        fence = await tables.commitBreakdown(fence, batch);
        watch.committed(batch.position, batch.events);
      },
      after: async () => undefined,
    },
    new Pace(pauseMs, share.load),
    share.breakdownCommits,
    mostPending,
    () => failed.abort(),
  );
  try {
    for (let { position } = fence; !stop.aborted; ) {
      await main.committed.reached(position + 1, stop);
      if (stop.aborted) break;
      const items = await next(main, ledger, partition, position, Math.min(maxEvents, PORTION));
      await share.loop.pass();
      await committer.around(() => fold.fold(items, () => committer.flush()));
      position = items.at(-1)?.position ?? position;
    }
    await committer.flush();
  } finally {
    await committer.stop();
  }
};

/** What the main loop has committed and still has at hand; else read from the store, up to where that begins. */
const next = async (main: MainLoop, ledger: Ledger, partition: number, after: number, limit: number): Promise<readonly Folded[]> => {
  const through = main.committed.position;
  const items = main.handover.take(after, through, limit);
  if (items.length > 0) return items;
  const missing = Math.min(through, main.handover.first - 1) - after;
  const read = await ledger.read(partition, after, Math.min(limit, Math.max(1, missing)));
  return read.map((item) => ({ position: item.position, item, charged: null }));
};
