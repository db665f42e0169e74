/** `./scripts/chaos`: hand-over of partitions under load, with processes killed and frozen, and NATS broken, at random. See `--help`. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@bursar/embedded';
import { Caller } from './chaos/hand-over/caller.ts';
import { Load } from './chaos/hand-over/load.ts';
import { MuteAppender } from './chaos/hand-over/mute-appender.ts';
import { NatsBreaker } from './chaos/hand-over/nats-breaker.ts';
import { type ChaosOptions, HELP, parseChaosOptions } from './chaos/hand-over/options.ts';
import { ProcessFaults } from './chaos/hand-over/process-faults.ts';
import { Random } from './chaos/hand-over/random.ts';
import { report } from './chaos/hand-over/report.ts';
import { untilSettled } from './chaos/hand-over/settle.ts';
import { makeTenant, PERCENTS, type Tenant, tenantNames } from './chaos/hand-over/tenants.ts';
import { Usurper } from './chaos/hand-over/usurper.ts';
import { examine } from './chaos/hand-over/verdict.ts';
import { Witness } from './chaos/hand-over/witness.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PARTITIONS = 16;
const REPLICAS = 'ingestion=2,budget-projector=3,api=2';
/** How long clients go on asking for answers once faults have ended. */
const LAST_ANSWERS_MS = 60_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const main = async (options: ChaosOptions): Promise<boolean> => {
  const dataDir = options.data === undefined ? await mkdtemp(join(tmpdir(), 'bursar-chaos-')) : resolve(options.data);
  say(`seed ${options.seed}, commit ${commit()}, options ${JSON.stringify(options)}, data ${dataDir}`);
  await up(['--detach', '--data', dataDir, '--port', String(await freePort()), '--replicas', REPLICAS]);
  let passed = false;
  try {
    passed = await run(options, dataDir);
  } finally {
    await up(['--down', '--data', dataDir]);
    if (passed && options.data === undefined) await rm(dataDir, { recursive: true, force: true });
    else say(`data and logs are kept in ${dataDir}`);
  }
  return passed;
};

const run = async (options: ChaosOptions, dataDir: string): Promise<boolean> => {
  const { seed, minutes, rate } = options;
  const giveUp = new AbortController();
  const caller = new Caller(dataDir, new Random(seed, 'caller'), giveUp.signal);
  const tenants: Tenant[] = [];
  for (const name of tenantNames(options.tenants, PARTITIONS)) tenants.push(await makeTenant(caller, name, PARTITIONS));

  const [faulty, watched, loaded] = [new AbortController(), new AbortController(), new AbortController()];
  const faults = new ProcessFaults(dataDir, seed, options.all, say);
  const witness = new Witness(dataDir);
  const watching = witness.run(watched.signal);
  const loading = Promise.all(tenants.map((tenant) => new Load(caller, tenant, PERCENTS, seed, rate / tenants.length).run(loaded.signal)));
  const mute = new MuteAppender(dataDir, PARTITIONS, tenants, seed);
  const appending = mute.run(loaded.signal);
  const usurper = new Usurper(dataDir, tenants, seed);
  const nats = new NatsBreaker(dataDir, seed, say);
  const breaking = Promise.all([faults.run(faulty.signal), usurper.run(faulty.signal), nats.run(faulty.signal)]);
  await delay(minutes * 60_000);
  faulty.abort();
  await breaking;
  loaded.abort();
  const timer = setTimeout(() => giveUp.abort(), LAST_ANSWERS_MS);
  const histories = await loading;
  clearTimeout(timer);
  await appending;
  for (const { tenant, usage } of histories) usage.push(...(mute.sent.get(tenant) ?? []));

  const settled = await untilSettled(dataDir);
  await witness.readMetrics();
  watched.abort();
  await watching;
  const { wrong, figures } = await examine(dataDir, PARTITIONS, tenants, histories);
  return report(
    {
      settled,
      wrong,
      figures,
      histories,
      faults: faults.made,
      natsFaults: nats.made,
      usurped: usurper.usurped,
      counts: witness.counts,
      stalls: witness.stalls,
      retried: caller.retried,
    },
    say,
  );
};

const up = (args: readonly string[]): Promise<void> =>
  new Promise((done, fail) => {
    const child = spawn(join(ROOT, 'scripts/up'), args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, PARTITIONS: String(PARTITIONS) },
    });
    child.once('error', fail);
    child.once('exit', (code) => (code === 0 ? done() : fail(new Error(`scripts/up ${args[0]} ended with ${code}`))));
  });

const commit = (): string => {
  try {
    const text = (...args: string[]): string =>
      execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return text('rev-parse', '--short', 'HEAD') + (text('status', '--porcelain') === '' ? '' : ' with changes');
  } catch {
    return 'unknown';
  }
};

try {
  const options = parseChaosOptions(process.argv.slice(2));
  if (options === null) say(HELP);
  else process.exitCode = (await main(options)) ? 0 : 1;
} catch (error) {
  process.stderr.write(`bursar: ${(error as Error).message.split('\n')[0]}\n`);
  process.exitCode = 1;
}
