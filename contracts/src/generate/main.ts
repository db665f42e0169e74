/**
 * Writes openapi.json and schemas/events/ from the zod schemas; with `--check` says which of them are stale instead. Either way it
 * refuses a change of a stored event that is more than an addition.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EVENT_DEFINITIONS } from '../events/registry.js';
import { ROUTES } from '../http/routes/table.js';
import { brokenEvents, EVENTS_FOLDER, type Files, generatedFiles, staleFiles } from './files.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

const presentFiles = (): Files => {
  const events = existsSync(join(root, EVENTS_FOLDER))
    ? readdirSync(join(root, EVENTS_FOLDER)).map((name) => `${EVENTS_FOLDER}/${name}`)
    : [];
  const paths = ['openapi.json', ...events].filter((path) => existsSync(join(root, path)));
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
};

const fail = (message: string): void => {
  console.error(message);
  process.exitCode = 1;
};

const events = [...EVENT_DEFINITIONS.values()];
const present = presentFiles();
const wanted = generatedFiles(ROUTES, events);
const broken = brokenEvents(present, events);
const stale = staleFiles(wanted, present);

if (broken.length > 0) {
  fail(`stored events change only by addition; give it a new version and an upcaster instead:\n${broken.join('\n')}`);
} else if (!process.argv.includes('--check')) {
  mkdirSync(join(root, EVENTS_FOLDER), { recursive: true });
  for (const path of stale) writeFileSync(join(root, path), wanted.get(path) ?? '');
  console.log(stale.length === 0 ? 'contracts: nothing to generate' : `contracts: wrote ${stale.join(', ')}`);
} else if (stale.length > 0) {
  fail(`contracts: stale, run npm run -w contracts generate: ${stale.join(', ')}`);
}
