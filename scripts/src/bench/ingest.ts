import { Checkpoints } from './checkpoints.ts';
import { copyLimit } from './copy-limit.ts';
import { cpuMicros } from './cpu.ts';
import { lagAt } from './lag.ts';
import { addPrices, bodies, type Positions, sendAll, setUpTenant, tenantsApart } from './load.ts';
import { against, type BenchRow } from './row.ts';
import { percentile } from './statistics.ts';
import type { Suite } from './suite.ts';
import type { RunningSystem } from './system.ts';
import { cpuOf, usedBetween } from './system-cpu.ts';

const EVENTS = 60_000;
const WARM_UP = 5_000;
const COPY_ROWS = 100_000;
/** What `scripts/up` gives the services. */
const PARTITIONS = 16;
const LOADS = [0.25, 0.5, 0.9] as const;

const INGEST = 'durable ingest over HTTP, 100-event bodies';
const BALANCE = 'ingest to balance, all processes, 100-event bodies';
const RATED = 'ingest to balance, tokens priced by public-llm';
const TWO = 'ingest to balance, 2 tenants on 2 partitions';
const lagRow = (load: number, share: string): string => `accepted → balance at ${load * 100} % load, ${share}`;

/**
 * Usage over HTTP until every balance has it: all processes, three levels, 25 budgets a tenant. One tenant is one partition and one
 * loop. Then the lag from the 202 to the balance at shares of the sustained rate, and the CPU of each process per event.
 */
export const ingestSuite: Suite = {
  about: 'usage over HTTP to balances: rate beside COPY, lag at three loads, CPU per process',
  rows: [INGEST, BALANCE, RATED, TWO, ...LOADS.flatMap((load) => [lagRow(load, 'p50'), lagRow(load, 'p99')])],
  run: async (start, emit) => {
    const system = await start();
    const limit = await copyLimit(system.eventStoreUrl, COPY_ROWS);
    const [first = '', second = '', rated = ''] = tenantsApart(3, PARTITIONS);
    await Checkpoints.using(system.databaseUrl, async (checkpoints) => {
      for (const tenant of [first, second, rated]) await setUpTenant(system, tenant);
      await addPrices(system, rated);
      await checkpoints.reach('budget', await sendAll(system, bodies('warm', WARM_UP, [first, second])));
      await checkpoints.reach('budget', await sendAll(system, bodies('warm', WARM_UP, [rated], true)));

      const [before, generatorBefore] = [cpuOf(system), cpuMicros(process.pid)];
      const sustained = await measure(system, checkpoints, bodies('load', EVENTS, [first]));
      const cpu = [...usedBetween(before, cpuOf(system)), { name: 'load generator', micros: cpuMicros(process.pid) - generatorBefore }];
      emit(
        against(INGEST, sustained.accepted, 'events/s', 'COPY', limit),
        { ...against(BALANCE, sustained.visible, 'events/s', 'COPY', limit), floor: 0.15, goal: 0.25 },
        ...cpu.map(({ name, micros }): BenchRow => ({ name: `CPU of ${name} at full load`, value: micros / EVENTS, unit: 'µs/event' })),
      );
      const priced = await measure(system, checkpoints, bodies('rated', EVENTS, [rated], true));
      await checkpoints.allPriced(rated);
      emit(against(RATED, priced.visible, 'events/s', 'with cost sent', sustained.visible));
      const two = await measure(system, checkpoints, bodies('two', EVENTS, [first, second]));
      emit(against(TWO, two.visible, 'events/s', '1 tenant', sustained.visible));
      for (const load of LOADS) emit(...(await lagRows(system, checkpoints, first, load, sustained.visible)));
    });
  },
};

type Rates = Readonly<{ accepted: number; visible: number }>;

const measure = async (system: RunningSystem, checkpoints: Checkpoints, payload: ReturnType<typeof bodies>): Promise<Rates> => {
  const startedAt = performance.now();
  const positions: Positions = await sendAll(system, payload);
  const accepted = performance.now() - startedAt;
  await checkpoints.reach('budget', positions);
  return { accepted: (EVENTS / accepted) * 1000, visible: (EVENTS / (performance.now() - startedAt)) * 1000 };
};

const lagRows = async (
  system: RunningSystem,
  checkpoints: Checkpoints,
  tenant: string,
  load: number,
  sustained: number,
): Promise<readonly BenchRow[]> => {
  const { lagsMs, rate } = await lagAt(system, checkpoints, tenant, sustained * load);
  const note = `${Math.round(rate)} events/s`;
  return [
    { name: lagRow(load, 'p50'), value: percentile(lagsMs, 0.5), unit: 'ms', note },
    {
      name: lagRow(load, 'p99'),
      value: percentile(lagsMs, 0.99),
      unit: 'ms',
      note,
      ...(load === 0.5 ? { floor: 150, lowerIsBetter: true } : {}),
    },
  ];
};
