import { join, resolve } from 'node:path';

/** The repository's root: this file is infra/embedded/{src,dist}/repository. */
export const REPOSITORY_ROOT = resolve(import.meta.dirname, '../../..');

/** Where a nats-server that we fetched is kept; shared by `up`, tests and benchmarks of this clone. */
export const BIN_DIRECTORY = join(REPOSITORY_ROOT, '.bursar', 'bin');
