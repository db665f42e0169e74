import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Ends something that a suite started. May be called again. */
export type Stop = () => Promise<void>;

const open = new Set<Stop>();

/** Runs `work` and then `stop`, also when the work throws or a signal ends the benchmark. */
export const whileOpen = async <T>(stop: Stop, work: () => Promise<T>): Promise<T> => {
  open.add(stop);
  try {
    return await work();
  } finally {
    open.delete(stop);
    await stop();
  }
};

/** An empty directory for the time of `work`: everything a server leaves beside its data belongs in it, too. */
export const inTemporaryDirectory = async <T>(work: (directory: string) => Promise<T>): Promise<T> => {
  const directory = await mkdtemp(join(tmpdir(), 'bursar-bench-'));
  return whileOpen(
    async () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }),
    () => work(directory),
  );
};

/** A signal ends what is open, newest first (a server before its directory), and then the process. */
export const cleanUpOnSignals = (): void => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void closeAll().finally(() => process.exit(1)));
};

const closeAll = async (): Promise<void> => {
  for (const stop of [...open].reverse()) {
    await stop().catch((error: unknown) => process.stderr.write(`bench: ${String(error)}\n`));
  }
};
