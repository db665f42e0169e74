import { type LedgerEvent, type Period, parseInstant } from '@bursar/contracts';
import type { Charge, Correction } from '@bursar/contracts/folds';
import type { BudgetFold, PeriodState } from './budget-fold.js';
import type { Changes } from './changes.js';
import { decideAfterUsage, decideCrossings } from './decide-crossings.js';
import { type Amount, addAmount, BalanceOverflowError, fits, replaceAmount, takeAmount } from './sums.js';
import type { Waiting } from './waiting.js';

/** One amount for one budget's period. */
export type Posting = Readonly<{
  budget: BudgetFold;
  period: Period;
  amount: Amount;
  /** It waited until now: it leaves the period's waiting count. */
  waited: boolean;
  /** It is taken back: the usage was voided. */
  isVoid?: true;
  /** What was added for it before, in place of which `amount` comes; null: it waited. */
  replaces?: bigint | null;
}>;

/** What one usage event, or one that waited, does to balances. Made from definitions alone, so it may be made before balances are read. */
export type Plan = Readonly<{
  cause: LedgerEvent;
  tenant: string;
  postings: readonly Posting[];
  /** Of usage at its own position, or where its price came in. */
  charged?: Charge;
  waiting?: Waiting;
  stillWaiting?: Waiting;
  /** Position of the usage that waits no longer. */
  settled?: number;
  /** What the cause says of the usage at a position. */
  corrects?: Readonly<{ position: number; correction: Correction }>;
}>;

/** Every period the plan needs is in memory. Throws {@link BalanceOverflowError} before anything changed. */
export const applyPlan = (plan: Plan, changes: Changes, step: number): void => {
  const periods = plan.postings.map(periodOf);
  for (const [index, { budget, amount, isVoid, replaces }] of plan.postings.entries()) {
    if (amount.picos !== null && isVoid !== true && !fits((periods[index]?.sums.spend ?? 0n) - (replaces ?? 0n) + amount.picos))
      throw new BalanceOverflowError(budget.id);
  }
  for (const [index, posting] of plan.postings.entries()) {
    const period = periods[index];
    if (period !== undefined) post(period, posting, plan.cause, changes, step);
  }
  if (plan.waiting !== undefined) changes.waiting.push(plan.waiting);
  if (plan.stillWaiting !== undefined) changes.keepWaiting(plan.stillWaiting);
  if (plan.corrects !== undefined) changes.corrected.push({ tenant: plan.tenant, ...plan.corrects });
  if (plan.settled !== undefined) changes.settle(plan.tenant, plan.settled);
};

const post = (
  period: PeriodState,
  { amount, waited, isVoid, replaces }: Posting,
  cause: LedgerEvent,
  changes: Changes,
  step: number,
): void => {
  if (isVoid === true || replaces !== undefined) {
    if (replaces === undefined) takeAmount(period.sums, amount);
    else replaceAmount(period.sums, { ...amount, picos: replaces }, amount);
    touch(period, cause, changes, step);
    // Spend may have fallen: what it had crossed may be armed again.
    decideCrossings(period, cause, changes);
    return;
  }
  if (waited) period.sums.waiting -= 1;
  addAmount(period.sums, amount);
  touch(period, cause, changes, step);
  decideAfterUsage(period, cause, changes);
};

export const touch = (period: PeriodState, cause: Pick<LedgerEvent, 'position' | 'recordedAt'>, changes: Changes, step: number): void => {
  period.position = cause.position;
  period.updatedAt = cause.recordedAt;
  period.usedAt = step;
  changes.periods.add(period);
  if (isLate(period, cause)) changes.late.add(period);
};

/** Had the period ended when that was recorded? Then what was said of its end may have to be said anew. The seconds decide nearly always. */
const isLate = ({ budget, period, endText }: PeriodState, { recordedAt }: Pick<LedgerEvent, 'recordedAt'>): boolean =>
  endText.slice(0, SECONDS) <= recordedAt.slice(0, SECONDS) &&
  period.end > budget.state.createdAt &&
  period.end <= parseInstant(recordedAt);
const SECONDS = '2026-01-01T00:00:00'.length;

const periodOf = ({ budget, period }: Posting): PeriodState => {
  const state = budget.periods.get(period.start);
  if (state === undefined) throw new Error(`period of budget ${budget.id} was not read before it was posted to`);
  return state;
};
