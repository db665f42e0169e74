// Exits 0 when node_modules holds exactly what package-lock.json asks for, 1 when `npm ci` must run.
// npm writes node_modules/.package-lock.json as the last step of an install, so an interrupted one does not pass.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = process.argv[2] ?? '.';

/** The packages of a lock file, or undefined when there is none. */
const packagesOf = (file) => {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return undefined;
  }
};

const wanted = packagesOf('package-lock.json');
const installed = packagesOf('node_modules/.package-lock.json');

const current =
  wanted !== undefined &&
  installed !== undefined &&
  Object.entries(wanted).every(([path, entry]) => {
    const present = installed[path];
    if (path === '' || entry.optional || entry.devOptional || entry.peer) return true; // another platform's, or nobody's
    return present !== undefined && present.version === entry.version && present.integrity === entry.integrity;
  });

process.exit(current ? 0 : 1);
