import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { endProcess, freePort, isAlive, until } from '@bursar/embedded';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type RunFile, readState } from './files.ts';
import { BROKEN, HEALTHY, makeFakeRoot } from './support/fake-root.ts';
import { cleanEnvironment, pidOf, readRun, up, upWithDescriptor } from './support/run-up.ts';

jest.setTimeout(240_000);

const work = mkdtempSync(join(tmpdir(), 'bursar-up-'));
const root = join(work, 'root');
const dataDir = join(work, 'data');
const environment = { ...cleanEnvironment(), BURSAR_UP_ROOT: root, MAX_EVENT_AGE: '2000d' };
makeFakeRoot(root, { api: HEALTHY, ingestion: HEALTHY, 'budget-projector': HEALTHY });

const pids = (run: RunFile): readonly number[] => [...run.services, ...run.infrastructure].map(({ pid }) => pid);
const supervisor = (): number => readState(dataDir, 'lock')?.pid ?? 0;
/** Polls; a restart is due within 2 s, but how long it takes on a busy machine is not what is tested. */
const eventually = async (condition: () => boolean | Promise<boolean>): Promise<void> => expect(await until(condition, 20_000)).toBe(true);

let port: number;
beforeAll(async () => {
  port = await freePort();
});
afterAll(async () => {
  await up(['--down', '--data', dataDir], environment);
  rmSync(work, { recursive: true, force: true });
});
const start = (...more: string[]) => up(['--detach', '--data', dataDir, '--port', String(port), ...more], environment);

describe('scripts/up', () => {
  test('exits when all is ready, though whoever called it waits for every descriptor to be closed', async () => {
    const args = ['--detach', '--data', dataDir, '--port', String(port), '--replicas', 'ingestion=2'];
    const { code, out } = await upWithDescriptor(args, environment);
    expect(code).toBe(0);
    expect(out).toContain(`http://127.0.0.1:${port}`);
    expect(out).toContain(readRun(dataDir).adminApiKey);
    expect(out).toMatch(/the first start took [\d.]+ s/);
  });

  test('run.json says what runs, one entry a process, and only its owner may read it', () => {
    const run = readRun(dataDir);
    expect(run.services.map(({ name, ready }) => [name, ready])).toEqual([
      ['api', true],
      ['budget-projector', true],
      ['ingestion', true],
      ['ingestion', true],
    ]);
    expect(run.infrastructure.map(({ name }) => name).sort()).toEqual(['nats', 'postgres']);
    expect(run).toMatchObject({
      apiUrl: `http://127.0.0.1:${port}`,
      ingestionUrl: run.services[2]?.url,
      enforcementUrl: run.services[1]?.url,
      natsUrl: expect.stringMatching(/^nats:\/\/[^:]+:[^@]+@127\.0\.0\.1:\d+$/),
      databaseUrl: expect.stringMatching(/^postgresql:\/\/.*\d\/bursar$/),
      eventStoreUrl: run.databaseUrl,
      adminApiKey: expect.stringMatching(/^bsr_live_/),
    });
    for (const file of ['run.json', 'admin-key', 'secret-key']) expect(statSync(join(dataDir, file)).mode & 0o077).toBe(0);
  });

  (process.platform === 'linux' ? test : test.skip)('every pid is the program itself', () => {
    const run = readRun(dataDir);
    const program = (pid: number) => basename(readlinkSync(`/proc/${pid}/exe`));
    expect(run.services.map(({ pid }) => program(pid))).toEqual(run.services.map(() => 'node'));
    expect(run.infrastructure.map(({ pid, name }) => [name, program(pid)]).sort()).toEqual([
      ['nats', 'nats-server'],
      ['postgres', 'postgres'],
    ]);
  });

  test('services are told where everything is, and what the caller set', () => {
    const run = readRun(dataDir);
    const told = JSON.parse(readFileSync(join(root, 'services', 'api', 'dist', 'env.json'), 'utf8')) as NodeJS.ProcessEnv;
    expect(told).toMatchObject({
      PORT: String(port),
      DATABASE_URL: run.databaseUrl,
      NATS_URL: run.natsUrl,
      BURSAR_ADMIN_KEY: run.adminApiKey,
      BURSAR_SECRET_KEY_FILE: join(dataDir, 'secret-key'),
      INGESTION_URL: `${run.services[2]?.url},${run.services[3]?.url}`,
      PROJECTOR_URL: run.enforcementUrl,
      MAX_EVENT_AGE: '2000d',
      PARTITIONS: '16',
    });
  });

  test('a second one on the same data is refused', async () => {
    const { code, err } = await start();
    expect([code, err]).toEqual([
      1,
      `bursar: already runs on ${dataDir} (pid ${supervisor()}): scripts/up --down stops it, --data DIR starts another\n`,
    ]);
  });

  test('a second one on the same port is refused', async () => {
    const { code, err } = await up(['--detach', '--data', join(work, 'other'), '--port', String(port)], environment);
    expect([code, err]).toEqual([1, `bursar: port ${port} is taken: choose another with --port N, or stop what listens there\n`]);
  });

  test.each(['api', 'nats', 'postgres'])('%s is started again when it is killed, at the same address', async (name) => {
    const before = readRun(dataDir);
    const pid = pidOf(dataDir, name);
    process.kill(pid, 'SIGKILL');
    await eventually(
      () => pidOf(dataDir, name) !== pid && isAlive(pidOf(dataDir, name)) && readRun(dataDir).services.every(({ ready }) => ready),
    );
    const { services, infrastructure, ...addresses } = readRun(dataDir);
    expect(before).toMatchObject(addresses);
    expect(services.map(({ url }) => url)).toEqual(before.services.map(({ url }) => url));
    expect(infrastructure).toHaveLength(2);
    expect(readFileSync(join(dataDir, 'logs', 'up.log'), 'utf8')).toContain(`${name} ended (signal SIGKILL); restarting`);
  });

  test('a stopped child is left alone, and goes down with the others all the same', async () => {
    const stopped = pidOf(dataDir, 'budget-projector');
    process.kill(stopped, 'SIGSTOP');
    const killed = pidOf(dataDir, 'api');
    process.kill(killed, 'SIGKILL');
    await eventually(() => pidOf(dataDir, 'api') !== killed);
    expect(pidOf(dataDir, 'budget-projector')).toBe(stopped);
    expect(isAlive(stopped)).toBe(true);
    expect(await up(['--status', '--data', dataDir], environment)).toMatchObject({
      code: 1,
      out: expect.stringMatching(/budget-projector +\d+ +not ready/),
    });

    const run = readRun(dataDir);
    const parent = supervisor();
    expect((await up(['--down', '--data', dataDir], environment)).code).toBe(0);
    expect([parent, ...pids(run)].filter(isAlive)).toEqual([]);
    expect(existsSync(join(dataDir, 'run.json'))).toBe(false);
    expect(await up(['--status', '--data', dataDir], environment)).toMatchObject({ code: 3, out: `nothing runs on ${dataDir}\n` });
  });

  test('comes up again with the same key and the same addresses', async () => {
    const key = readFileSync(join(dataDir, 'admin-key'), 'utf8').trim();
    expect(await start()).toMatchObject({ code: 0, err: '' });
    expect(readRun(dataDir).adminApiKey).toBe(key);
  });

  test('a killed supervisor confuses nobody: status tells, the next start takes over, down ends what is left', async () => {
    const orphans = pids(readRun(dataDir));
    await endProcess(supervisor(), 'SIGKILL', 5_000);
    expect(orphans.filter(isAlive)).toEqual(orphans);
    expect((await up(['--status', '--data', dataDir], environment)).out).toContain('the supervisor is gone');

    expect((await start()).code).toBe(0);
    expect(orphans.filter(isAlive)).toEqual([]);

    const next = pids(readRun(dataDir));
    await endProcess(supervisor(), 'SIGKILL', 5_000);
    expect((await up(['--down', '--data', dataDir], environment)).code).toBe(0);
    expect(next.filter(isAlive)).toEqual([]);
  });

  test('Ctrl-C in the foreground stops all cleanly', async () => {
    const foreground = up(['--data', dataDir, '--port', String(port)], environment);
    await eventually(() => existsSync(join(dataDir, 'run.json')));
    const run = readRun(dataDir);
    process.kill(supervisor(), 'SIGINT');
    expect(await foreground).toMatchObject({ code: 0, out: expect.stringContaining('Bursar is ready') });
    expect(pids(run).filter(isAlive)).toEqual([]);
    expect(readFileSync(join(dataDir, 'logs', 'postgres.log'), 'utf8').trimEnd()).toMatch(/database system is shut down$/);
  });

  test.each([
    ['DATABASE_URL', 'postgresql://nobody:secret@127.0.0.1:1/none'],
    ['NATS_URL', 'nats://nobody:secret@127.0.0.1:1'],
  ])('a %s that nobody answers at is one line without its password', async (name, url) => {
    const { code, err } = await up(['--detach', '--data', join(work, name), '--port', String(port)], { ...environment, [name]: url });
    expect(code).toBe(1);
    expect(err).toMatch(new RegExp(`^bursar: ${name} cannot be used \\(.*\\): correct it, or unset it to have .* started\n$`));
    expect(err).not.toContain('secret');
  });

  test('what exists is used instead of an own one', async () => {
    expect((await start()).code).toBe(0);
    const existing = readRun(dataDir);
    const other = join(work, 'guest');
    const guest = { ...environment, DATABASE_URL: existing.databaseUrl, NATS_URL: existing.natsUrl };
    expect((await up(['--detach', '--data', other, '--port', String(await freePort())], guest)).code).toBe(0);
    const run = readRun(other);
    expect([run.infrastructure, run.databaseUrl, run.natsUrl]).toEqual([[], existing.databaseUrl, existing.natsUrl]);
    expect((await up(['--down', '--data', other], guest)).code).toBe(0);
    expect(pids(existing).filter(isAlive)).toEqual(pids(existing));
  });

  test('a service that cannot start fails the start with its own last word', async () => {
    await up(['--down', '--data', dataDir], environment);
    const broken = join(work, 'broken');
    makeFakeRoot(broken, { api: HEALTHY, ingestion: BROKEN });
    const { code, err } = await up(['--detach', '--data', dataDir, '--port', String(port)], { ...environment, BURSAR_UP_ROOT: broken });
    expect(code).toBe(1);
    expect(err.trimEnd().split('\n').at(-1)).toBe(
      'bursar: ingestion ended before it was ready: configuration is not valid: PARTITIONS: expected a number',
    );
    expect((await up(['--status', '--data', dataDir], environment)).code).toBe(3);
  });
});
