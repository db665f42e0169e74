import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspectNats } from '@bursar/bus';
import { DEFAULT_PARTITIONS, parsePicos } from '@bursar/contracts';
import { freePort, signal, until } from '@bursar/embedded';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { NatsConnection } from '@nats-io/transport-node';
import { expectStatus, request, type Target } from '../replay/client.ts';
import { readMetrics, sumOf } from '../up/service-metrics.ts';
import { cleanEnvironment, pidOf, readRun, up } from '../up/support/run-up.ts';
import { EventListener } from './event-listener.ts';
import { connectNats } from './nats-admin.ts';
import { natsFaults } from './nats-faults.ts';
import { type SentEvent, SteadyLoad, type Way } from './steady-load.ts';

jest.setTimeout(300_000);

/** RELIABILITY T7, T8: NATS fails in every way under load, and nobody who asks for money notices. */

const work = mkdtempSync(join(tmpdir(), 'bursar-nats-faults-'));
const dataDir = join(work, 'data');
const environment = cleanEnvironment();
const RECOVERED_WITHIN_MS = 60_000;
const BATCH = 500;
/** Two relays, and four that set streams right: whoever repairs must not undo what another repaired. */
const REPLICAS = 'ingestion=2,budget-projector=2';

let target: Target;
let budgetId: string;
let nc: NatsConnection;
let load: SteadyLoad;
let listener: EventListener;

beforeAll(async () => {
  const port = String(await freePort());
  const { code, err } = await up(['--detach', '--data', dataDir, '--port', port, '--replicas', REPLICAS], environment);
  if (code !== 0) throw new Error(`scripts/up failed: ${err}`);
  const { apiUrl, adminApiKey, natsUrl } = readRun(dataDir);
  target = { apiUrl, adminApiKey, tenant: 'steady' };
  const period = { kind: 'custom', timezone: 'UTC', start: '2020-01-01T00:00:00Z', end: '2100-01-01T00:00:00Z' };
  const body = { name: 'all', scope: 'team:steady', limit: { amount: '1000000000', currency: 'USD' }, period };
  budgetId = (expectStatus('POST /budgets', await request(target, 'POST', '/budgets', body), 201).body as { id: string }).id;
  nc = await connectNats(natsUrl);
  load = new SteadyLoad(target, 25);
  listener = new EventListener(target.tenant);
  listener.start(nc);
  load.start(nc);
});
afterAll(async () => {
  await Promise.all([load?.stop(), listener?.stop()]);
  await nc?.close();
  await up(['--down', '--data', dataDir], environment);
  rmSync(work, { recursive: true, force: true });
});

/** What keeps the system from being all it should be; empty when it is. */
const troubles = async (): Promise<readonly string[]> => {
  const [metrics, { streams }] = await Promise.all([readMetrics(dataDir), inspectNats(readRun(dataDir).natsUrl)]);
  const found = streams.filter(({ exists, drift }) => !exists || drift.length > 0).map((stream) => JSON.stringify(stream));
  for (const [label, series] of metrics) {
    const be = (name: string, wanted: number) => {
      const value = sumOf(series, name);
      if (value !== wanted) found.push(`${label}: ${name} is ${value}`);
    };
    be('bursar_bus_connected', 1);
    be('bursar_bus_problems', 0);
    if (label.startsWith('budget-projector')) be('bursar_projector_lag_events', 0);
    if (label.startsWith('ingestion')) be('bursar_relay_lag_events', 0);
  }
  return found;
};

/** Fails with what is still wrong. */
const untilWell = async (): Promise<void> => {
  let left: readonly string[] = ['never looked'];
  const look = async () => {
    left = await troubles().catch((error: unknown) => [String(error)]);
    return left.length === 0;
  };
  expect((await until(look, RECOVERED_WITHIN_MS, 50)) ? [] : left).toEqual([]);
};

const idsOf = (ways: readonly Way[]): readonly string[] => ways.flatMap((way) => load.acknowledged[way].map(({ id }) => id));

/** Sends events again and answers how many were new. */
const sendAgain = async (events: readonly SentEvent[]): Promise<readonly string[]> => {
  const fresh: string[] = [];
  for (let from = 0; from < events.length; from += BATCH) {
    const body = { events: events.slice(from, from + BATCH) };
    const answer = expectStatus('POST /usage', await request(target, 'POST', '/usage', body), 202);
    const { results } = answer.body as { results: readonly { id: string; status: string }[] };
    fresh.push(...results.filter(({ status }) => status !== 'duplicate').map(({ id }) => id));
  }
  return fresh;
};

const CENT = parsePicos('0.01');
const spend = async (): Promise<string> => {
  const { body } = expectStatus('GET status', await request(target, 'GET', `/budgets/${budgetId}/status`), 200);
  return (body as { currentSpend: string }).currentSpend;
};

/** Everything that is acknowledged from now on arrives everywhere, whatever way it comes. */
const untilAllWaysWork = async (): Promise<void> => {
  const before = countsOf();
  const moved = () => Object.entries(countsOf()).every(([way, count]) => count >= before[way as Way] + 3);
  await until(moved, RECOVERED_WITHIN_MS);
  const after = countsOf();
  expect(Object.keys(after).filter((way) => after[way as Way] < before[way as Way] + 3)).toEqual([]);
};

const untilTold = async (ids: readonly string[]): Promise<void> => {
  await until(() => listener.missing(ids).length === 0, RECOVERED_WITHIN_MS);
  expect(listener.missing(ids).slice(0, 5)).toEqual([]);
};

describe('under load over HTTP and NATS', () => {
  const faults = natsFaults({ dataDir, downMs: 10_000 });

  test.each(faults.map((fault) => [fault.name, fault] as const))(
    'NATS %s: all goes on, and all is well soon after',
    async (_name, fault) => {
      await untilAllWaysWork();
      listener.rest(true);
      // What JetStream alone has may go with its storage, but not otherwise.
      const publishedBefore = load.acknowledged.intake.length;
      await fault.inflict();
      await untilAllWaysWork();
      listener.rest(false);
      await untilWell();
      const published = idsOf(['intake']).slice(publishedBefore);
      await untilTold([...idsOf(['http', 'request']), ...(fault.losesMessages ? published.slice(-1) : published)]);
      expect(load.complaints).toEqual([]);
    },
  );

  test('every acknowledged event was counted, and counted once', async () => {
    await load.stop();
    await untilWell();
    expect(await sendAgain([...load.acknowledged.http, ...load.acknowledged.request])).toEqual([]);
    await sendAgain(load.sent);
    await untilWell();
    const expected = load.sent.reduce((sum, { cost }) => sum + parsePicos(cost.amount), 0n);
    expect(parsePicos(await spend())).toBe(expected);
    await untilTold(load.sent.map(({ id }) => id));
    expect(load.complaints).toEqual([]);
  });

  test('/metrics tells what happened', async () => {
    const metrics = await readMetrics(dataDir);
    for (const series of metrics.values()) {
      expect(sumOf(series, 'bursar_bus_reconnects_total')).toBeGreaterThanOrEqual(4);
      expect(sumOf(series, 'bursar_bus_disconnects_total')).toBeGreaterThanOrEqual(4);
    }
    const all = (name: string): number => [...metrics.values()].reduce((sum, series) => sum + (sumOf(series, name) ?? 0), 0);
    for (const name of ['ranges_acked', 'ranges_dropped', 'events_from_store', 'events_from_bus', 'fanout_messages'])
      expect([name, all(`bursar_bus_${name}_total`) > 0]).toEqual([name, true]);
    expect(all('bursar_bus_stream_repairs_total')).toBeGreaterThan(10);
    expect(all('bursar_bus_fanout_rewinds_total')).toBeGreaterThanOrEqual(4);
    // A lease lost to a stall is somebody's again within seconds.
    const led = async () => {
      const series = [...(await readMetrics(dataDir)).values()];
      return series.reduce((sum, one) => sum + (sumOf(one, 'bursar_relay_partitions') ?? 0), 0) === DEFAULT_PARTITIONS;
    };
    expect(await until(led, RECOVERED_WITHIN_MS, 100)).toBe(true);
  });

  test('what starts while NATS does not answer serves HTTP, and joins it later', async () => {
    const nats = pidOf(dataDir, 'nats');
    const services = () => readRun(dataDir).services;
    const before = new Set(services().map(({ pid }) => pid));
    signal(nats, 'SIGSTOP');
    try {
      for (const pid of before) signal(pid, 'SIGKILL');
      const started = () => services().every(({ pid, ready }) => ready && !before.has(pid));
      expect(await until(started, RECOVERED_WITHIN_MS)).toBe(true);
      const event = { id: 'late', source: 'steady', scopes: ['team:steady'], cost: { amount: '0.01', currency: 'USD' } };
      const spent = parsePicos(await spend());
      await sendAgain([event]);
      await until(async () => parsePicos(await spend()) > spent, RECOVERED_WITHIN_MS);
      expect(parsePicos(await spend())).toBe(spent + CENT);
    } finally {
      signal(nats, 'SIGCONT');
    }
    await untilWell();
    await untilTold(['late']);
  });
});

const countsOf = (): Readonly<Record<Way, number>> => ({
  http: load.acknowledged.http.length,
  request: load.acknowledged.request.length,
  intake: load.acknowledged.intake.length,
});
