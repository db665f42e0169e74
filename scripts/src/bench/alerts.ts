import { AlertProbes, type AlertTimes } from './alert-probes.ts';
import { Checkpoints } from './checkpoints.ts';
import { bodies, sendAll, setUpTenant } from './load.ts';
import type { BenchRow } from './row.ts';
import { percentile } from './statistics.ts';
import type { Suite } from './suite.ts';
import { withSystem } from './system.ts';

const TENANT = 'bench-alerts';
const PROBES = 200;
const RATE = 1_000;
const WARM_UP = 5_000;
const CAPACITY_EVENTS = 40_000;
/** Longer than the probes take, so that the load is there for all of them. */
const LOAD_SECONDS = 14;
/** In milliseconds, at p99. */
const BUS_GOAL = 250;
const WEBHOOK_GOAL = 500;

const LOADS = [`${RATE} events/s`, 'half of capacity'] as const;
const rowName = (to: 'NATS' | 'webhook', load: string, share: string): string => `usage accepted → alert on ${to}, ${load}, ${share}`;
const rowsAt = (load: string): readonly string[] =>
  (['NATS', 'webhook'] as const).flatMap((to) => ['p50', 'p99'].map((share) => rowName(to, load, share)));

/** How soon after its 202 usage that crosses a threshold is heard of, while the same tenant goes on spending. */
export const alertsSuite: Suite = {
  about: 'usage accepted until its alert is on NATS and at a webhook, at 1,000 events/s and at half of capacity',
  rows: LOADS.flatMap(rowsAt),
  ownSystem: true,
  run: (_system, emit) =>
    withSystem({ environment: { WEBHOOK_ALLOW_PRIVATE_TARGETS: '1' } }, async (system) => {
      await setUpTenant(system, TENANT);
      const probes = await AlertProbes.open(system, TENANT);
      try {
        await Checkpoints.using(system.databaseUrl, async (checkpoints) => {
          await checkpoints.reach('budget', await sendAll(system, bodies('warm', WARM_UP, [TENANT])));
          const load = (run: string, rate: number) => () => sendAll(system, bodies(run, rate * LOAD_SECONDS, [TENANT]), rate);
          emit(...rows(LOADS[0], await probes.measure('steady', PROBES, load('steady', RATE))));
          const startedAt = performance.now();
          await checkpoints.reach('budget', await sendAll(system, bodies('capacity', CAPACITY_EVENTS, [TENANT])));
          const half = (CAPACITY_EVENTS / (performance.now() - startedAt)) * 500;
          const times = await probes.measure('half', PROBES, load('half', half));
          emit(...rows(LOADS[1], times).map((row) => ({ ...row, note: `${Math.round(half)} events/s` })));
        });
      } finally {
        await probes.close();
      }
    }),
};

const rows = (load: string, { busMs, webhookMs }: AlertTimes): readonly BenchRow[] => [
  ...figures('NATS', load, busMs, BUS_GOAL),
  ...figures('webhook', load, webhookMs, WEBHOOK_GOAL),
];

const figures = (to: 'NATS' | 'webhook', load: string, times: readonly number[], goal: number): readonly BenchRow[] => {
  const missing = times.filter((time) => !Number.isFinite(time)).length;
  const note = missing === 0 ? {} : { note: `${missing} of ${times.length} never came` };
  const at = (share: number): number | null => {
    const value = percentile(times, share);
    return Number.isFinite(value) ? value : null;
  };
  return [
    { name: rowName(to, load, 'p50'), value: at(0.5), unit: 'ms', ...note },
    { name: rowName(to, load, 'p99'), value: at(0.99), unit: 'ms', goal, lowerIsBetter: true, ...note },
  ];
};
