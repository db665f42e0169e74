import { appendFileSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

const LARGEST_LOG_BYTES = 50_000_000;

/** Appends lines with their time to `DIR/logs/up.log`. */
export const createLog = (dataDir: string): ((line: string) => void) => {
  const directory = join(dataDir, 'logs');
  mkdirSync(directory, { recursive: true });
  rotate(directory);
  return (line) => {
    try {
      appendFileSync(join(directory, 'up.log'), `${new Date().toISOString()} ${line}\n`);
    } catch {
      // A full disk is no reason to stop supervising, and there is nowhere left to say so.
    }
  };
};

/** Sets large logs aside at a start, when nobody writes them; one generation is kept. */
const rotate = (directory: string): void => {
  for (const name of readdirSync(directory).filter((file) => file.endsWith('.log'))) {
    const path = join(directory, name);
    if (statSync(path).size > LARGEST_LOG_BYTES) renameSync(path, `${path}.1`);
  }
};
