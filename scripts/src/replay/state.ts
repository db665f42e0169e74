import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const State = z.object({
  /** Nanoseconds added to every time of the trace; fixed by the first run, so that a second one is all duplicates. */
  shiftNs: z.string(),
  /** Rows sent and answered, in the order of the run; equal to the number of rows when it is done. */
  done: z.number().int(),
  seed: z.number().int().nullable(),
});
export type ReplayState = z.infer<typeof State>;

export const statePath = (dataDir: string, stem: string, tenant: string): string => join(dataDir, 'replay', `${stem}.${tenant}.json`);

export const loadState = async (path: string): Promise<ReplayState | null> => {
  try {
    return State.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
};

/** Replaced by rename: a kill in the middle leaves the old one whole. */
export const saveState = async (path: string, state: ReplayState): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, JSON.stringify(state));
  await rename(`${path}.new`, path);
};
