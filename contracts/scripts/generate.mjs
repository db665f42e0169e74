/**
 * Writes openapi.json, asyncapi.json and schemas/events/ from the zod schemas; with `--check` says which of them are stale instead. Either way it
 * refuses a change of a stored event that is more than an addition. Beside the sources, which know no file system.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHANNELS } from '../dist/bus/channels/table.js';
import { brokenEvents, EVENTS_FOLDER, generatedFiles, staleFiles } from '../dist/generate/files.js';
import { ROUTES } from '../dist/http/index.js';
import { EVENT_DEFINITIONS } from '../dist/index.js';

const root = join(import.meta.dirname, '..');

const presentFiles = () => {
  const folder = join(root, EVENTS_FOLDER);
  const events = existsSync(folder) ? readdirSync(folder).map((name) => `${EVENTS_FOLDER}/${name}`) : [];
  const paths = ['openapi.json', 'asyncapi.json', ...events].filter((path) => existsSync(join(root, path)));
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
};

const fail = (message) => {
  console.error(message);
  process.exitCode = 1;
};

const events = [...EVENT_DEFINITIONS.values()];
const present = presentFiles();
const wanted = generatedFiles(ROUTES, CHANNELS, events);
const broken = brokenEvents(present, events);
const stale = staleFiles(wanted, present);

if (broken.length > 0) {
  fail(`contracts: stored events change only by addition, anything else is a new version and an upcaster: ${broken.join('; ')}`);
} else if (!process.argv.includes('--check')) {
  mkdirSync(join(root, EVENTS_FOLDER), { recursive: true });
  for (const path of stale) writeFileSync(join(root, path), wanted.get(path));
  console.log(stale.length === 0 ? 'contracts: nothing to generate' : `contracts: wrote ${stale.join(', ')}`);
} else if (stale.length > 0) {
  fail(`contracts: stale, run \`npm run -w contracts generate\`: ${stale.join(', ')}`);
}
