import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { examineLag, examineOwners, examineServer } from './doctor/database.ts';
import { examine, type Finding } from './doctor/finding.ts';
import { examineMachine, examinePort } from './doctor/machine.ts';
import { examineNats, examineServices } from './doctor/running.ts';
import { describeSettings } from './doctor/settings.ts';
import { type RunFile, readState } from './up/files.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const HELP = `scripts/doctor: checks versions, ports, connections, durability, lag and clock

  --data DIR   the running system's directory (default .bursar)
  --config     list every environment setting instead`;

const examineRunning = async (run: RunFile): Promise<readonly Finding[]> => {
  const separate = run.eventStoreUrl !== run.databaseUrl && run.eventStoreUrl.startsWith('postgres');
  const groups = await Promise.all([
    examine('PostgreSQL', () => examineServer('PostgreSQL', run.databaseUrl)),
    separate ? examine('event store', () => examineServer('event store', run.eventStoreUrl)) : [],
    examine('NATS', () => examineNats(run.natsUrl)),
    examine('services', () => examineServices(run)),
    examine('projector', () => examineOwners(run.databaseUrl)),
    run.eventStoreUrl.startsWith('postgres') ? examine('lag', () => examineLag(run.eventStoreUrl, run.databaseUrl)) : [],
  ]);
  return groups.flat();
};

/** Answers the exit code: 1 when something is bad. */
const main = async (args: readonly string[]): Promise<number> => {
  const options = { data: { type: 'string' }, config: { type: 'boolean' }, help: { type: 'boolean' } } as const;
  const { values } = parseArgs({ args: [...args], options });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (values.config) {
    for (const line of describeSettings(process.env)) console.log(line);
    return 0;
  }
  const dataDir = resolve(values.data ?? join(ROOT, '.bursar'));
  const run = readState(dataDir, 'run');
  const findings = [
    ...(await examine('machine', () => examineMachine(existsSync(dataDir) ? dataDir : ROOT))),
    ...(run === undefined ? await examinePort(8080) : await examineRunning(run)),
  ];
  const marks = { ok: 'ok  ', warn: 'WARN', bad: 'BAD ' };
  for (const { level, text } of findings) console.log(`${marks[level]} ${text}`);
  if (run === undefined) console.log(`nothing runs on ${dataDir}: start it with scripts/up`);
  return findings.some(({ level }) => level === 'bad') ? 1 : 0;
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`bursar: ${(error as Error).message.split('\n')[0]}`);
  process.exitCode = 1;
}
