import { about, type Finding } from './finding.ts';

const { ok, warn, bad } = about('ledger');

/** Positions by partition. */
export type Positions = ReadonlyMap<number, number>;
/** The ledger and those who follow it, by the name of their checkpoints, at one moment. */
export type Sample = Readonly<{ heads: Positions; followers: ReadonlyMap<string, Positions> }>;

/** Events that somebody may be behind before it deserves a look. */
const LARGEST_LAG = 10_000;

const FOLLOWERS: Readonly<Record<string, string>> = {
  budget: 'balances (budget-projector)',
  breakdown: 'breakdowns (budget-projector)',
  alerting: 'alerts (alerting)',
  scheduler: 'timers (reset-scheduler)',
  relay: 'events.* on NATS (relay in ingestion)',
};
const STUCK: Readonly<Record<string, string>> = { relay: 'it waits for NATS, or no ingestion runs: see its log' };

/** How far each follower has come, from two samples a moment apart: behind is no trouble, standing still is. Pure. */
export const examineFollowers = (before: Sample, now: Sample): readonly Finding[] =>
  namesOf(now).map((name) => {
    const who = FOLLOWERS[name] ?? name;
    const at = (partition: number, sample: Sample): number => sample.followers.get(name)?.get(partition) ?? 0;
    const headOf = (partition: number, sample: Sample): number => sample.heads.get(partition) ?? 0;
    const partitions = [...new Set([...now.heads.keys(), ...(now.followers.get(name)?.keys() ?? [])])];

    const ahead = partitions.filter((partition) => at(partition, now) > headOf(partition, now));
    if (ahead.length > 0)
      return bad(
        `${who}: ahead of the event store in partition ${ranges(ahead)}`,
        'the event store is older than what was made from it (a restored backup?): restore the newer one, or rebuild what is ahead',
      );
    const lag = partitions.reduce((sum, partition) => sum + headOf(partition, now) - at(partition, now), 0);
    const stuck = partitions.filter(
      (partition) => at(partition, now) < headOf(partition, before) && at(partition, now) === at(partition, before),
    );
    if (stuck.length > 0)
      return bad(
        `${who}: ${lag} events behind, standing still in partition ${ranges(stuck)}`,
        STUCK[name] ?? `see the log of ${name in FOLLOWERS ? 'budget-projector' : 'the service that does it'}`,
      );
    const text = `${who}: ${lag} events behind`;
    return lag > LARGEST_LAG ? warn(text, 'it is catching up; if this grows, it is too slow for what comes in') : ok(text);
  });

/** Those that must be there, and whoever else has checkpoints. */
const namesOf = ({ followers }: Sample): readonly string[] => [...new Set([...Object.keys(FOLLOWERS), ...followers.keys()])];

/** True while somebody is behind, so that another sample tells more. */
export const isAnyoneBehind = (sample: Sample): boolean =>
  namesOf(sample).some((name) => [...sample.heads].some(([partition, head]) => (sample.followers.get(name)?.get(partition) ?? 0) < head));

/** `0–3, 7` */
export const ranges = (numbers: readonly number[]): string => {
  const found: { first: number; last: number }[] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const open = found.at(-1);
    if (open !== undefined && open.last + 1 === number) open.last = number;
    else found.push({ first: number, last: number });
  }
  return found.map(({ first, last }) => (first === last ? `${first}` : `${first}–${last}`)).join(', ');
};
