import { setTimeout as delay } from 'node:timers/promises';
import { cpuMicros } from './cpu.ts';
import type { Suite } from './suite.ts';

/** What begins with a system is over by then. */
const SETTLE_MS = 10_000;
const MEASURED_MS = 30_000;

const ALL = 'CPU of all processes while nothing comes';

/** What Bursar takes of a machine that nobody asks anything of: polls, leases and timers. */
export const idleSuite: Suite = {
  about: 'CPU of a whole system while nothing comes',
  rows: [ALL],
  run: async (start, emit) => {
    const { services, infrastructure } = await start();
    const processes = [...services, ...infrastructure];
    await delay(SETTLE_MS);
    const before = processes.map(({ pid }) => cpuMicros(pid));
    const startedAt = performance.now();
    await delay(MEASURED_MS);
    const elapsedMicros = (performance.now() - startedAt) * 1_000;
    const shares = processes.map(({ pid }, index) => (100 * (cpuMicros(pid) - (before[index] ?? 0))) / elapsedMicros);
    const unit = '% of a core';
    emit({ name: ALL, value: shares.reduce((sum, share) => sum + share, 0), unit });
    emit(...processes.map(({ name }, index) => ({ name: `CPU of ${name} while nothing comes`, value: shares[index] ?? 0, unit })));
  },
};
