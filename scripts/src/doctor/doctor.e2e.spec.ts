import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, signal, until } from '@bursar/embedded';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { administer } from '../chaos/nats-admin.ts';
import { cleanEnvironment, type Outcome, pidOf, readRun, runCommand, up } from '../up/support/run-up.ts';
import type { Finding } from './finding.ts';

jest.setTimeout(300_000);

const work = mkdtempSync(join(tmpdir(), 'bursar-doctor-'));
const dataDir = join(work, 'data');
const environment = cleanEnvironment();

beforeAll(async () => {
  const { code, err } = await up(['--detach', '--data', dataDir, '--port', String(await freePort())], environment);
  if (code !== 0) throw new Error(`scripts/up failed: ${err}`);
});
afterAll(async () => {
  await up(['--down', '--data', dataDir], environment);
  rmSync(work, { recursive: true, force: true });
});

const doctor = (...args: string[]): Promise<Outcome> =>
  runCommand(process.execPath, [join(import.meta.dirname, '..', 'doctor.ts'), '--data', dataDir, ...args], environment);
const diagnose = async (): Promise<{ code: number | null; ok: boolean; running: boolean; findings: readonly Finding[] }> => {
  const { code, out } = await doctor('--json');
  return { code, ...(JSON.parse(out) as { ok: boolean; running: boolean; findings: readonly Finding[] }) };
};
const textsOf = (findings: readonly Finding[], level: Finding['level']): readonly string[] =>
  findings.filter((finding) => finding.level === level).map(({ area, text }) => `${area}: ${text}`);

/** Asks until the answer is as wanted; the last one, whatever it is. A machine that stalls is busy for a moment, and said to be. */
const askUntil = async <T>(ask: () => Promise<T>, isWanted: (answer: T) => boolean): Promise<T> => {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (isWanted(answer) || performance.now() > deadline) return answer;
    await delay(200);
  }
};
const lastLineOf = ({ out }: Outcome): string | undefined => out.trimEnd().split('\n').at(-1);

describe('doctor', () => {
  test('finds all well where it is', async () => {
    // The relay takes the lead within a second.
    const { code, ok, running, findings } = await askUntil(diagnose, (found) => found.findings.every(({ level }) => level === 'ok'));
    expect(textsOf(findings, 'bad')).toEqual([]);
    expect([code, ok, running]).toEqual([0, true, true]);
    const well = textsOf(findings, 'ok').join('\n');
    for (const said of [
      /PostgreSQL: fsync = on, full_page_writes = on, synchronous_commit = on/,
      /PostgreSQL: clock is -?\d+ ms off/,
      /NATS: nats-server 2\.\d+/,
      /NATS: stream EVENTS: \d+ messages/,
      /NATS: consumer ingestion of USAGE_INTAKE: 0 waiting/,
      /ledger: balances .*: 0 events behind/,
      /ledger: events\.\* on NATS .*: 0 events behind/,
      /ledger: 16 partitions owned/,
      /periods: 0 timers, none late/,
      /periods: time zone data \d{4}\w since /,
      /services: relay: led by ingestion/,
    ])
      expect(well).toMatch(said);
    const told = await askUntil(doctor, (outcome) => lastLineOf(outcome) === 'all is well');
    expect([told.code, lastLineOf(told)]).toEqual([0, 'all is well']);
  });

  test('shows what the reset-scheduler gave up, and gives it its turn again', async () => {
    const client = new pg.Client({ connectionString: readRun(dataDir).databaseUrl });
    await client.connect();
    try {
      await client.query(`INSERT INTO scheduler.timer (tenant, budget_id, partition, rule, stuck, stuck_since, failures)
        VALUES ('acme', 'b-1', 0, '{}', 'RangeError: no such zone', now(), 4)`);
      const { code, findings } = await askUntil(diagnose, (found) => textsOf(found.findings, 'bad').length === 1);
      expect(code).toBe(1);
      expect(textsOf(findings, 'bad')).toEqual([
        expect.stringMatching(/periods: the period of budget b-1 of acme .* RangeError: no such zone/),
      ]);
      const { code: retried, out } = await doctor('--retry');
      expect([retried, out.trim()]).toEqual([0, '1 stuck entries have their turn again']);
      expect((await client.query('SELECT FROM scheduler.timer WHERE stuck IS NOT NULL')).rowCount).toBe(0);
    } finally {
      await client.query("DELETE FROM scheduler.timer WHERE budget_id = 'b-1'");
      await client.end();
    }
  });

  test('names what is wrong and what to do, exits with 1, and is content again once it is mended', async () => {
    const stopped = ['ingestion', 'budget-projector', 'alerting'].map((name) => pidOf(dataDir, name));
    for (const pid of stopped) signal(pid, 'SIGSTOP');
    try {
      await administer(readRun(dataDir).natsUrl, async ({ streams, consumers }) => {
        await streams.delete('EVENTS');
        await streams.update('LEDGER', { max_msgs: 5 });
        await consumers.delete('USAGE_INTAKE', 'ingestion');
      });
      const { code, findings } = await diagnose();
      expect(code).toBe(1);
      expect(textsOf(findings, 'bad')).toEqual(
        expect.arrayContaining([
          'NATS: stream EVENTS is missing',
          'NATS: stream LEDGER has another max_msgs',
          'NATS: USAGE_INTAKE has no consumer ingestion: usage over NATS waits',
          expect.stringMatching(/services: ingestion: not ready/),
        ]),
      );
      expect(findings.filter(({ level, todo }) => level !== 'ok' && !todo)).toEqual([]);
    } finally {
      for (const pid of stopped) signal(pid, 'SIGCONT');
    }
    let left: readonly string[] = [];
    const isWell = async () => {
      const { ok, findings } = await diagnose();
      left = textsOf(findings, 'bad');
      return ok;
    };
    expect((await until(isWell, 90_000, 200)) ? [] : left).toEqual([]);
  });

  test('without anything running looks at the machine, and says how to start', async () => {
    await up(['--down', '--data', dataDir], environment);
    const { code, out } = await doctor();
    expect(code).toBe(0);
    expect(out).toContain(`nothing runs on ${dataDir}: start it with scripts/up`);
  });
});
