import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { examine, type Finding } from './doctor/finding.ts';
import { examineLedger } from './doctor/ledger.ts';
import { examineMachine, examinePort } from './doctor/machine.ts';
import { examineNats } from './doctor/nats.ts';
import { examineServer } from './doctor/postgres.ts';
import { asJson, asText, isWell } from './doctor/report.ts';
import { examineScheduler, retryStuck } from './doctor/scheduler.ts';
import { examineServices } from './doctor/services.ts';
import { describeSettings } from './doctor/settings.ts';
import { type RunFile, readState } from './up/files.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const HELP = `scripts/doctor: checks versions, ports, connections, durability, streams, lag and clock; exits with 1 when something is wrong

  --data DIR   the running system's directory (default .bursar)
  --json       for a program
  --retry      give what the reset-scheduler gave up its turn again
  --config     list every environment setting instead`;

const examineRunning = async (run: RunFile, dataDir: string): Promise<readonly Finding[]> => {
  const { databaseUrl, eventStoreUrl, natsUrl } = run;
  const inPostgres = eventStoreUrl.startsWith('postgres');
  const server = (area: string, url: string) =>
    examine(area, `is it running? see ${dataDir}/logs/postgres.log`, () => examineServer(area, url));
  const groups = await Promise.all([
    server('PostgreSQL', databaseUrl),
    inPostgres && eventStoreUrl !== databaseUrl ? server('event store', eventStoreUrl) : [],
    examine('NATS', `usage over HTTP goes on without it; is it running? see ${dataDir}/logs/nats.log`, () => examineNats(natsUrl)),
    inPostgres ? examine('ledger', 'see PostgreSQL', () => examineLedger(eventStoreUrl, databaseUrl)) : [],
    examine('periods', 'see PostgreSQL', () => examineScheduler(databaseUrl)),
    examine('services', `see ${dataDir}/logs`, () => examineServices(run, dataDir)),
  ]);
  return groups.flat();
};

/** Answers the exit code: 1 when something is wrong. */
const main = async (args: readonly string[]): Promise<number> => {
  const flag = { type: 'boolean' } as const;
  const options = { data: { type: 'string' }, json: flag, config: flag, retry: flag, help: flag } as const;
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
  if (values.retry) {
    if (run === undefined) throw new Error(`nothing runs on ${dataDir}`);
    console.log(`${await retryStuck(run.databaseUrl)} stuck entries have their turn again`);
    return 0;
  }
  const findings = [
    ...(await examine('this machine', 'see above', () => examineMachine(existsSync(dataDir) ? dataDir : ROOT))),
    ...(run === undefined ? await examinePort(8080) : await examineRunning(run, dataDir)),
  ];
  console.log((values.json ? asJson : asText)({ running: run !== undefined, dataDir, findings }));
  return isWell(findings) ? 0 : 1;
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`bursar: ${(error as Error).message.split('\n')[0]}`);
  process.exitCode = 1;
}
