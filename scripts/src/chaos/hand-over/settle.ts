import { setTimeout as delay } from 'node:timers/promises';
import { readState } from '../../up/files.ts';
import { isReady } from '../../up/readiness.ts';
import { query } from './witness.ts';

const WITHIN_MS = 60_000;

/** Waits until every process is ready and everything is folded and told. Answers how long it took, or what is still to do after a minute. */
export const untilSettled = async (dataDir: string): Promise<Readonly<{ ms: number }> | string> => {
  const startedAt = performance.now();
  for (;;) {
    const left = await whatIsLeft(dataDir).catch((error: unknown) => String(error));
    if (left === null) return { ms: performance.now() - startedAt };
    if (performance.now() - startedAt > WITHIN_MS) return left;
    await delay(100);
  }
};

const whatIsLeft = async (dataDir: string): Promise<string | null> => {
  for (const { name, url } of readState(dataDir, 'run')?.services ?? []) if (!(await isReady(url))) return `${name} at ${url} is not ready`;
  const [left] = await query<{ behind: number; outbox: number }>(
    dataDir,
    `SELECT
       (SELECT count(*)::int FROM store.partitions AS head CROSS JOIN (VALUES ('budget'), ('breakdown'), ('relay')) AS each (projection)
        LEFT JOIN projection.checkpoint USING (partition, projection)
        WHERE head.position > coalesce(checkpoint.position, 0)) AS behind,
       (SELECT count(*)::int FROM projection.outbox) AS outbox`,
  );
  if (left === undefined || left.behind + left.outbox > 0)
    return `${left?.behind} checkpoints are behind, ${left?.outbox} events are not told`;
  return null;
};
