import { accessSync, constants, existsSync, mkdirSync, renameSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { BIN_DIRECTORY } from '../repository.js';
import { fromPackageManager } from './package-manager.js';
import { fromRelease } from './release.js';
import { isRecentEnough, MINIMUM_VERSION, versionOf } from './version.js';

/** `up` must fail within a minute, so a network that swallows packets may cost this much and no more. */
const FETCH_BUDGET_MS = 40_000;

/** Brings a nats-server into the directory and answers its path; throws when it cannot by the deadline (of performance.now()). */
type Source = (directory: string, note: (line: string) => void, deadline: number) => Promise<string>;

/** Where to look; the defaults are this process's. */
type Search = Readonly<{ environment: NodeJS.ProcessEnv; binDirectory: string; sources: readonly (readonly [string, Source])[] }>;

const SOURCES: Search['sources'] = [
  ['package manager', fromPackageManager],
  ['pinned release', fromRelease],
];

/**
 * The path of a nats-server ≥ 2.12, in the order: `NATS_SERVER_BIN`, PATH, `.bursar/bin` of this clone, the system's package
 * manager (unpacked, not installed), the pinned release with its checksum. What had to be fetched is kept in `.bursar/bin`.
 * Throws one line that says what was tried and what to do.
 */
export const findNatsServer = async (
  note: (line: string) => void = () => {},
  { environment = process.env, binDirectory = BIN_DIRECTORY, sources = SOURCES }: Partial<Search> = {},
): Promise<string> => {
  const tried: string[] = [];
  const kept = join(binDirectory, 'nats-server');
  for (const path of [environment.NATS_SERVER_BIN, onPath(environment.PATH ?? ''), kept]) {
    if (path === undefined || !existsSync(path)) continue;
    const version = versionOf(path);
    if (version !== undefined && isRecentEnough(version)) return path;
    tried.push(`${path} is ${version ?? 'not runnable'}`);
  }
  mkdirSync(binDirectory, { recursive: true });
  const deadline = performance.now() + FETCH_BUDGET_MS;
  for (const [name, fetchInto] of sources) {
    try {
      const fetched = await fetchInto(binDirectory, note, deadline);
      const version = versionOf(fetched);
      if (version === undefined || !isRecentEnough(version)) throw new Error(`got version ${version ?? 'unknown'}`);
      renameSync(fetched, kept); // atomic: another process may fetch at the same time, and its copy is as good
      return kept;
    } catch (error) {
      tried.push(`${name}: ${(error as Error).message.split('\n')[0]}`);
    }
  }
  throw new Error(
    `no nats-server ${MINIMUM_VERSION} or newer (${tried.join('; ')}): install one on PATH, or set NATS_URL or NATS_SERVER_BIN`,
  );
};

const onPath = (path: string): string | undefined =>
  path
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, 'nats-server'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
