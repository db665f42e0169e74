import { spawnSync } from 'node:child_process';

/** Older servers accept what Bursar needs (per-message TTL, atomic batches) and silently ignore it, so the version is checked. */
export const MINIMUM_VERSION = '2.12';

/** The version that `nats-server --version` prints, e.g. `2.12.7`; undefined when the file does not run. */
export const versionOf = (binary: string): string | undefined => {
  const { stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return /v?(\d+\.\d+\.\d+\S*)/.exec(stdout ?? '')?.[1];
};

export const isRecentEnough = (version: string, minimum = MINIMUM_VERSION): boolean => {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const [needMajor = 0, needMinor = 0] = minimum.split('.').map(Number);
  return major > needMajor || (major === needMajor && minor >= needMinor);
};
