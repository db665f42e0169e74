import type { History } from './load.ts';
import type { Fault } from './process-faults.ts';
import type { Figures } from './verdict.ts';
import type { Counts, Stall } from './witness.ts';

export type Run = Readonly<{
  settled: Readonly<{ ms: number }> | string;
  wrong: readonly string[];
  figures: Figures;
  histories: readonly History[];
  faults: readonly Fault[];
  /** Names of what was done to NATS. */
  natsFaults: readonly string[];
  usurped: number;
  counts: Counts;
  stalls: readonly Stall[];
  retried: ReadonlyMap<string, number>;
}>;

/** Shorter ones are the pace of commits. */
const STALLED_MS = 1_000;

/** Says what happened; answers whether the run passed. One that met none of what it is for proves nothing, and fails. */
export const report = (run: Run, say: (line: string) => void): boolean => {
  const { figures, counts, faults, histories } = run;
  const statuses = histories.reduce((sum, { statuses: seen }) => sum + seen, 0);
  const edits = histories.reduce((sum, { limits }) => sum + limits.length, 0);
  const kills = faults.filter(({ kind }) => kind === 'kill').length;
  const stalls = run.stalls
    .map(({ ms }) => ms)
    .filter((ms) => ms >= STALLED_MS)
    .sort((a, b) => a - b);
  const at = (share: number): string => ((stalls[Math.ceil(share * stalls.length) - 1] ?? 0) / 1_000).toFixed(1);
  say(
    `faults: ${kills} killed, ${faults.length - kills} frozen, ${run.usurped} partitions usurped; ${counts.takeovers} take-overs, ${counts.leasesLost} leases lost`,
  );
  say(`NATS: ${run.natsFaults.length} faults, of ${new Set(run.natsFaults).size} kinds`);
  say(`seen: ${counts.lostCompareAndSets} lost compare-and-sets, ${counts.gapsRead} gaps read from the store`);
  say(`partitions that stood still for a second or more: ${stalls.length} times, p50 ${at(0.5)} s, p95 ${at(0.95)} s, longest ${at(1)} s`);
  say(`ledger: ${figures.events} events in those partitions, ${figures.usage} of usage, ${figures.crossings} crossings and clearings`);
  say(`clients: ${edits} limits edited, ${statuses} statuses read, ${figures.unknown} usages unknown (${figures.unknownStored} stored)`);
  say(`asked again after: ${[...run.retried].map(([kind, times]) => `${kind} ${times}`).join(', ') || 'nothing'}`);
  say(
    typeof run.settled === 'string'
      ? `not settled: ${run.settled}`
      : `settled ${(run.settled.ms / 1_000).toFixed(1)} s after the last fault`,
  );
  const wrong = [...run.wrong];
  if (typeof run.settled === 'string') wrong.push(`not settled after a minute: ${run.settled}`);
  if (counts.lostCompareAndSets === 0) wrong.push('no compare-and-set was lost: the run proved nothing');
  if (run.natsFaults.length === 0) wrong.push('NATS was never broken: the run proved nothing of it');
  if (counts.gapsRead === 0) wrong.push('no gap was read from the store: the run proved nothing');
  for (const line of wrong.slice(0, 30)) say(`WRONG  ${line}`);
  say(wrong.length === 0 ? 'passed' : `FAILED: ${wrong.length} findings`);
  return wrong.length === 0;
};
