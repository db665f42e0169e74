import type { UsageRecordedEvent } from '@bursar/contracts';
import type { Arrivals } from '@bursar/contracts/folds';
import {
  type BudgetState,
  type CorrectingEvent,
  type Correction,
  originalOf,
  type Settled,
  settledCharge,
  settledCost,
  standing,
  type TenantDefinitions,
} from '@bursar/contracts/folds';

type Known = Readonly<{ definitions: TenantDefinitions; arrivals: Arrivals }>;

/** What a usage came to from one event of its history to the next; `picos` null: it waited all the while, voided: nothing. */
type Stage = Readonly<{ settled: Settled; picos: bigint | null }>;

/** One line of a budget's history: usage as it was recorded, or what was said of it. Amounts of all lines add up to the balance. */
export type Entry = Readonly<{
  usage: UsageRecordedEvent;
  settled: Settled;
  /** What this line adds, in picos of the budget's currency; null: it waits for a price or a rate. */
  picos: bigint | null;
  isVoided: boolean;
  isRerated: boolean;
  /** What the usage comes to now. */
  now: bigint | null;
  /** Absent: the usage itself. */
  correction?: Readonly<{ event: CorrectingEvent; was: Settled }>;
}>;

/** null: the event changed nothing (a rerating of what was voided), and is no line. */
export const entryOf = (
  event: UsageRecordedEvent | CorrectingEvent,
  said: readonly Correction[],
  budget: BudgetState,
  known: Known,
): Entry | null => {
  const usage = event.type === 'UsageRecorded' ? event : originalOf(event);
  const corrections = standing(said);
  const stage = (count: number): Stage => stageOf(usage, corrections, count, budget, known);
  const last = stage(corrections.length);
  const common = {
    usage,
    isVoided: corrections.at(-1)?.cost === null,
    isRerated: corrections.some(({ cost }) => cost !== null),
    now: last.picos,
  };
  if (event.type === 'UsageRecorded') return { ...common, ...stage(0) };
  const index = corrections.findIndex(({ at }) => at === event.position);
  if (index === -1) return null;
  const [was, is] = [stage(index), stage(index + 1)];
  const picos = (is.picos ?? 0n) - (was.picos ?? 0n);
  return { ...common, settled: is.settled, picos, correction: { event, was: was.settled } };
};

/** After so many corrections, until the next. */
const stageOf = (
  usage: UsageRecordedEvent,
  corrections: readonly Correction[],
  count: number,
  budget: BudgetState,
  { definitions, arrivals }: Known,
): Stage => {
  const through = corrections[count]?.at ?? Number.POSITIVE_INFINITY;
  const before = corrections.slice(0, count);
  const settled = settledCharge(usage, definitions, arrivals, through, before);
  if (before.at(-1)?.cost === null) return { settled, picos: 0n };
  return { settled, picos: settledCost(settled, usage, budget, definitions, arrivals, through)?.picos ?? null };
};
