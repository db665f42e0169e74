import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const VERSION = '2.12.7';

/** SHA-256 of the release archives, as the project's own container images pin them. */
const CHECKSUMS: Readonly<Record<string, string>> = {
  'linux-amd64': '570d2d627db111e679cc1e6bc57ba78f373ed1769acd8dc9c21c8f62d15b3c52',
  'linux-arm64': '3b9a79986778285c0e5acaba0b1218b72f6159db68fe5b8916a7d846240f9f22',
};

/** Downloads the pinned release, checks it and unpacks it into `directory`; answers the file's path. The last resort.
 * `deadline` is on the clock of `performance.now()`. */
export const fromRelease = async (directory: string, note: (line: string) => void, deadline: number): Promise<string> => {
  const platform = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const expected = CHECKSUMS[platform];
  if (expected === undefined) throw new Error(`none pinned for ${platform}`);
  const name = `nats-server-v${VERSION}-${platform}`;
  note(`downloading ${name}`);
  const response = await fetch(`https://github.com/nats-io/nats-server/releases/download/v${VERSION}/${name}.tar.gz`, {
    signal: AbortSignal.timeout(Math.max(1_000, Math.trunc(deadline - performance.now()))),
  }).catch((error: Error) => {
    throw new Error(`download failed (${((error.cause as Error | undefined) ?? error).message})`);
  });
  if (!response.ok) throw new Error(`download answered ${response.status}`);
  const archive = Buffer.from(await response.arrayBuffer());
  assertChecksum(archive, expected);
  const work = mkdtempSync(join(tmpdir(), 'bursar-nats-'));
  try {
    writeFileSync(join(work, 'archive.tar.gz'), archive);
    const { status } = spawnSync('tar', ['-xzf', 'archive.tar.gz'], { cwd: work });
    if (status !== 0) throw new Error('tar could not unpack it');
    const target = join(directory, `nats-server.${process.pid}`);
    copyFileSync(join(work, name, 'nats-server'), target);
    chmodSync(target, 0o755);
    return target;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};

/** Throws when the bytes are not exactly the ones pinned. */
export const assertChecksum = (archive: Uint8Array, expected: string): void => {
  const actual = createHash('sha256').update(archive).digest('hex');
  if (actual !== expected) throw new Error(`checksum is ${actual.slice(0, 12)}…, expected ${expected.slice(0, 12)}…`);
};
