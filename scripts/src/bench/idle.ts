import { setTimeout as delay } from 'node:timers/promises';
import type { Suite } from './suite.ts';
import { cpuOf, usedBetween } from './system-cpu.ts';

/** What begins with a system is over by then. */
const SETTLE_MS = 10_000;
const MEASURED_MS = 30_000;

const UNIT = '% of a core';
const ALL = 'CPU of all processes while nothing comes';

/** What Bursar takes of a machine while nobody asks it anything: polls, leases and timers. The first to run, so that nothing of another suite goes on meanwhile. */
export const idleSuite: Suite = {
  about: 'CPU of a whole system while nothing comes',
  rows: [ALL],
  run: async (start, emit) => {
    const system = await start();
    await delay(SETTLE_MS);
    const [before, startedAt] = [cpuOf(system), performance.now()];
    await delay(MEASURED_MS);
    const used = usedBetween(before, cpuOf(system));
    const elapsedMicros = (performance.now() - startedAt) * 1_000;
    const shares = used.map(({ name, micros }) => ({ name, share: (100 * micros) / elapsedMicros }));
    emit({ name: ALL, value: shares.reduce((sum, { share }) => sum + share, 0), unit: UNIT });
    emit(...shares.map(({ name, share }) => ({ name: `CPU of ${name} while nothing comes`, value: share, unit: UNIT })));
  },
};
