import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from './process-identity.ts';

/** `DIR/run.json`: what runs and how to reach it (OPERATIONS). Holds secrets, so only its owner may read it. */
export type RunFile = Readonly<{
  apiUrl: string;
  ingestionUrl: string;
  enforcementUrl: string;
  natsUrl: string;
  databaseUrl: string;
  eventStoreUrl: string;
  adminApiKey: string;
  services: readonly Readonly<{ name: string; pid: number; url: string; ready: boolean }>[];
  infrastructure: readonly Readonly<{ name: 'postgres' | 'nats'; pid: number }>[];
}>;

/** `DIR/children.json`: what was started, so that whatever outlives a killed supervisor can be found and told from a stranger. */
export type ChildrenFile = readonly (ProcessIdentity & Readonly<{ name: string }>)[];

/** Ports by label, kept so that they stay the same over restarts. */
export type PortsFile = Readonly<Record<string, number>>;

const FILES = { run: 'run.json', children: 'children.json', ports: 'ports.json', lock: 'supervisor.lock' } as const;
type Contents = { run: RunFile; children: ChildrenFile; ports: PortsFile; lock: ProcessIdentity };

/** The file's content; undefined when it is absent or unreadable. */
export const readState = <K extends keyof Contents>(dataDir: string, kind: K): Contents[K] | undefined => {
  try {
    return JSON.parse(readFileSync(join(dataDir, FILES[kind]), 'utf8')) as Contents[K];
  } catch {
    return undefined;
  }
};

/** Replaces the file by rename: a reader sees the old content or the new, never half of one. */
export const writeState = <K extends keyof Contents>(dataDir: string, kind: K, content: Contents[K]): void => {
  const path = join(dataDir, FILES[kind]);
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, path);
};

export const removeState = (dataDir: string, kind: keyof Contents): void => rmSync(join(dataDir, FILES[kind]), { force: true });

/**
 * Takes the data directory for the process `self`. False when a process that still runs (by `alive`) has it; a dead one's
 * claim is taken over. Released by `removeState(dataDir, 'lock')`.
 */
export const claim = (dataDir: string, self: ProcessIdentity, alive: (holder: ProcessIdentity) => boolean): boolean => {
  const path = join(dataDir, FILES.lock);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      writeFileSync(path, JSON.stringify(self), { flag: 'wx' });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readState(dataDir, 'lock');
    if (holder !== undefined && alive(holder)) return false;
    rmSync(path, { force: true });
  }
  return false;
};

/** The platform admin's key: made at the first start of this data directory, the same ever after. */
export const adminKey = (dataDir: string): string =>
  madeOnce(join(dataDir, 'admin-key'), () => `bsr_live_${randomBytes(4).toString('hex')}_${randomBytes(32).toString('hex')}`);

/** Path of the file with the key that seals stored secrets: made once like the admin's, and never an argument or a variable itself. */
export const secretKeyFile = (dataDir: string): string => {
  const path = join(dataDir, 'secret-key');
  madeOnce(path, () => randomBytes(32).toString('hex'));
  return path;
};

/** What the file holds; its owner's alone to read. The first start writes it. */
const madeOnce = (path: string, make: () => string): string => {
  const content = make();
  try {
    writeFileSync(path, `${content}\n`, { mode: 0o600, flag: 'wx' });
    return content;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return readFileSync(path, 'utf8').trim();
  }
};
