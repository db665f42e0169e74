import type { CrossingData } from '../events/balance.js';
import type { BudgetDefinition, ThresholdDefinition } from '../events/budget.js';
import { divideHalfEven, readDecimal } from '../values/decimal.js';
import { type EpochNs, formatInstant, NS_PER_SECOND } from '../values/instant.js';
import { formatPicos, MONEY_SCALE, parsePicos } from '../values/money.js';
import { oneOff, type Period, periodAt } from '../values/period.js';
import { readOnce } from '../values/read-once.js';
import {
  type BudgetControls,
  isEnforcementOff,
  isPaused,
  liveIncrease,
  liveOverrides,
  NO_CONTROLS,
  nextExpiry,
} from './budget-controls.js';
import { fixedTwo, HUNDRED_PERCENT, isAtPercent, isReached, PERCENT_SCALE, percentUsed } from './thresholds.js';

export type BudgetStatusName = 'ok' | 'warning' | 'critical' | 'exceeded' | 'paused' | 'counting';
export type AlertLevel = 'green' | 'yellow' | 'orange' | 'red' | 'blocked';

/** A `ThresholdCrossed` of the period and what became of it. */
export type Crossing = Readonly<{
  alertId: string;
  data: CrossingData;
  crossedAt: EpochNs;
  clearedAt: EpochNs | null;
  acknowledged?: boolean;
}>;

export type StatusInput = Readonly<{
  budgetId: string;
  definition: BudgetDefinition;
  /** {@link currentPeriod} at `now`; null outside the only period of a one-off budget. */
  period: Period | null;
  /** The balance of that period; null when it saw no usage. `waiting`: events that count once a price or a rate arrives. */
  balance: Readonly<{ spend: bigint; waiting?: number }> | null;
  /** Held in that period, in picos; absent: nothing. */
  reserved?: bigint;
  crossings: readonly Crossing[];
  /** Its past is still being added up. */
  counting: boolean;
  /** An event that it should count was set aside (RELIABILITY, promise 6). */
  incomplete?: boolean;
  /** Pause and overrides; absent: neither. */
  controls?: BudgetControls;
  /** What the periods before left for this one, in picos ({@link rolledOver}); null or absent: it was not asked for. */
  carried?: bigint | null;
  now: EpochNs;
  /** `<partition>:<position>` of the snapshot. */
  position: string;
  lastUpdated: EpochNs;
}>;

/** The status object of API.md "Budgets". Amounts are decimal strings of `currency`; instants UTC text; null: there is none. */
export type BudgetStatus = Readonly<{
  budgetId: string;
  currency: string;
  limit: string | null;
  /** Limit, live increases and what was rolled over, never below zero: what every percentage of the status is of. */
  effectiveLimit: string | null;
  /** Carried into this period: left over, or, negative, owed. null: not computed. */
  rolledOver: string | null;
  currentSpend: string;
  reserved: string;
  /** Effective limit minus spend and holds; negative past it. */
  remaining: string | null;
  /** Block point minus spend and holds. */
  graceRemaining: string | null;
  percentUsed: string | null;
  blockPoint: string | null;
  periodStart: string | null;
  periodEnd: string | null;
  /** Started days count: 1 until the very end. */
  daysRemaining: number | null;
  /** Per day, so far in this period; two digits. */
  burnRate: string | null;
  projectedTotal: string | null;
  projectedExhaustion: string | null;
  status: BudgetStatusName;
  alertLevel: AlertLevel;
  activeAlerts: readonly ActiveAlert[];
  paused: boolean;
  /** Grants that are live; null: none is. */
  override: LiveOverride | null;
  /** Events of the period that have no price or no exchange rate yet: not in `currentSpend`. */
  waiting: number;
  /** An event could not be folded and was set aside: its figures may lack it, and it refuses what it could block. */
  incomplete: boolean;
  position: string;
  lastUpdated: string;
}>;

/** All live grants together. */
export type LiveOverride = Readonly<{
  overrideIds: readonly string[];
  /** What they add to the limit; null: nothing. */
  amount: string | null;
  enforcement: 'off' | null;
  /** When the first of them ends. */
  expiresAt: string;
}>;

export type ActiveAlert = Readonly<{
  alertId: string;
  /** The threshold's own number; absent for one by amount. */
  percent?: number;
  amount?: string;
  severity: ThresholdDefinition['severity'];
  actions: ThresholdDefinition['actions'];
  since: string;
  acknowledged: boolean;
}>;

/** The period a status speaks of: the one that holds `now`; of a one-off budget its only one, also before and after it. */
export const currentPeriod = ({ period }: BudgetDefinition, now: EpochNs): Period | null => {
  const holding = periodAt(period, now);
  if (holding !== null) return holding;
  const only = oneOff(period);
  // A reset by hand may have cut it: what is next to the moment, then.
  return only === null ? null : periodAt(period, now < only.start ? only.start : only.end - 1n);
};

/** Pure: definition, balance of the current period and its crossings, at `now`. */
export const budgetStatus = (input: StatusInput): BudgetStatus => {
  const { budgetId, definition, period, balance, counting, now, controls = NO_CONTROLS, carried = null, reserved = 0n } = input;
  const spend = balance?.spend ?? 0n;
  const limit = effectiveLimit(definition, controls, now, carried ?? 0n);
  const block = blockPoint(definition, limit);
  const paused = isPaused(controls, now);
  return {
    budgetId,
    currency: definition.limit.currency,
    limit: amount(limitOf(definition)),
    effectiveLimit: amount(limit),
    rolledOver: amount(carried),
    currentSpend: formatPicos(spend),
    reserved: formatPicos(reserved),
    remaining: limit === null ? null : formatPicos(limit - spend - reserved),
    graceRemaining: block === null ? null : formatPicos(block - spend - reserved),
    percentUsed: percentUsed(spend, limit),
    blockPoint: amount(block),
    periodStart: period === null ? null : formatInstant(period.start),
    periodEnd: period === null ? null : formatInstant(period.end),
    daysRemaining: period === null ? null : daysUntil(period.end, now),
    ...projection(spend, limit, period, now),
    status: statusName(definition, spend, limit, paused, counting),
    alertLevel: alertLevel(definition, spend, limit, isBlocking(definition, controls, now)),
    activeAlerts: activeAlerts(input.crossings, period),
    paused,
    override: liveOverride(controls, definition.limit.currency, now),
    waiting: balance?.waiting ?? 0,
    incomplete: input.incomplete ?? false,
    position: input.position,
    lastUpdated: formatInstant(input.lastUpdated),
  };
};

/** Begun days count whole; none are left of what is over. */
const daysUntil = (end: EpochNs, now: EpochNs): number => (end <= now ? 0 : Number(ceilDivide(end - now, NS_PER_DAY)));

/** The limit in picos; null is unlimited. */
export const limitOf = ({ limit }: BudgetDefinition): bigint | null => picosOf(limit);

const picosOf = readOnce(({ amount }: BudgetDefinition['limit']): bigint | null => (amount === null ? null : parsePicos(amount)));

/** Limit, the increases live at `now` and what was carried into the period, in picos; null is unlimited. A debt leaves nothing, never less. */
export const effectiveLimit = (definition: BudgetDefinition, controls: BudgetControls, now: EpochNs, carried = 0n): bigint | null => {
  const limit = limitOf(definition);
  if (limit === null) return null;
  const effective = limit + carried + liveIncrease(controls, definition.limit.currency, now);
  return effective < 0n ? 0n : effective;
};

/** Effective limit × blockAtPercent, rounded down to a pico: never more room than said. null for an unlimited budget. */
export const blockPoint = ({ enforcement }: BudgetDefinition, limit: bigint | null): bigint | null => {
  if (limit === null) return null;
  const percent = blockPercent(enforcement);
  return percent === HUNDRED_PERCENT ? limit : (limit * percent) / HUNDRED_PERCENT;
};

const blockPercent = readOnce(({ blockAtPercent }: BudgetDefinition['enforcement']): bigint => scaledPercent(blockAtPercent));

/** Would it refuse past its block point now? */
export const isBlocking = ({ enforcement }: BudgetDefinition, controls: BudgetControls, now: EpochNs): boolean =>
  enforcement.mode === 'block' && !isEnforcementOff(controls, now);

/** `paused` wins, then `counting`, then the highest of 100 % of the limit, a critical threshold, a warning threshold. */
export const statusName = (
  { thresholds }: BudgetDefinition,
  spend: bigint,
  limit: bigint | null,
  paused: boolean,
  counting: boolean,
): BudgetStatusName => {
  if (paused) return 'paused';
  if (counting) return 'counting';
  if (limit !== null && isLevelReached(100, spend, limit)) return 'exceeded';
  const reached = (severity: ThresholdDefinition['severity']): boolean =>
    thresholds.some((threshold) => threshold.severity === severity && isReached(threshold, spend, limit));
  if (reached('critical')) return 'critical';
  return reached('warning') ? 'warning' : 'ok';
};

/** By `levels`; `blocked` at or past the block point of a budget that blocks. With a zero limit any spend is past all of them. */
export const alertLevel = (
  { levels, enforcement }: BudgetDefinition,
  spend: bigint,
  limit: bigint | null,
  blocking: boolean,
): AlertLevel => {
  if (limit === null) return 'green';
  if (blocking && isLevelReached(enforcement.blockAtPercent, spend, limit)) return 'blocked';
  const reached = (percent: number | undefined): boolean => percent !== undefined && isLevelReached(percent, spend, limit);
  if (reached(levels.red)) return 'red';
  if (reached(levels.orange)) return 'orange';
  return reached(levels.yellow) ? 'yellow' : 'green';
};

const isLevelReached = (percent: number, spend: bigint, limit: bigint): boolean =>
  limit <= 0n ? spend > 0n : isAtPercent(scaledPercent(percent), spend, limit);

/** A percentage of a definition is a JSON number; its shortest text is the decimal that was meant. */
const scaledPercent = (percent: number): bigint => {
  const scaled = readDecimal(String(percent), PERCENT_SCALE);
  if (typeof scaled !== 'bigint') throw new RangeError(`not a percentage: ${percent}`);
  return scaled;
};

const NS_PER_DAY = 86_400n * NS_PER_SECOND;
/** The first minutes of a period say little: a burn is taken over an hour at least. */
const SHORTEST_BURN = 3_600n * NS_PER_SECOND;
const HUNDREDTH = 10n ** BigInt(MONEY_SCALE - 2);

type Projection = Pick<BudgetStatus, 'burnRate' | 'projectedTotal' | 'projectedExhaustion'>;
const NO_PROJECTION: Projection = { burnRate: null, projectedTotal: null, projectedExhaustion: null };

/** Straight line through the period's start: spend ÷ elapsed time. Exhaustion to the second, only when it falls into this period. */
const projection = (spend: bigint, limit: bigint | null, period: Period | null, now: EpochNs): Projection => {
  if (period === null || spend <= 0n || now < period.start) return NO_PROJECTION;
  const length = period.end - period.start;
  const elapsed = clamp(now - period.start, SHORTEST_BURN < length ? SHORTEST_BURN : length, length);
  const burnRate = fixedTwo(divideHalfEven(spend * NS_PER_DAY, elapsed * HUNDREDTH));
  if (limit === null) return { ...NO_PROJECTION, burnRate };
  const projectedTotal = fixedTwo(divideHalfEven(spend * length, elapsed * HUNDREDTH));
  const exhaustion = ceilDivide(now + ceilDivide((limit - spend) * elapsed, spend), NS_PER_SECOND) * NS_PER_SECOND;
  const within = spend < limit && exhaustion < period.end;
  return { burnRate, projectedTotal, projectedExhaustion: within ? formatInstant(exhaustion) : null };
};

const liveOverride = (controls: BudgetControls, currency: string, now: EpochNs): LiveOverride | null => {
  const live = liveOverrides(controls, now);
  const expiry = nextExpiry(controls, now);
  if (expiry === null) return null;
  const increase = liveIncrease(controls, currency, now);
  return {
    overrideIds: live.map(({ overrideId }) => overrideId),
    amount: increase === 0n ? null : formatPicos(increase),
    enforcement: isEnforcementOff(controls, now) ? 'off' : null,
    expiresAt: formatInstant(expiry),
  };
};

const activeAlerts = (crossings: readonly Crossing[], period: Period | null): readonly ActiveAlert[] => {
  const start = period === null ? null : formatInstant(period.start);
  return crossings
    .filter(({ data, clearedAt }) => clearedAt === null && data.periodStart === start)
    .map(({ alertId, data: { definition }, crossedAt, acknowledged = false }) => ({
      alertId,
      ...(definition.percent === undefined ? { amount: definition.amount } : { percent: Number(definition.percent) }),
      severity: definition.severity,
      actions: definition.actions,
      since: formatInstant(crossedAt),
      acknowledged,
    }));
};

const amount = (picos: bigint | null): string | null => (picos === null ? null : formatPicos(picos));
const clamp = (value: bigint, low: bigint, high: bigint): bigint => (value < low ? low : value > high ? high : value);
const ceilDivide = (value: bigint, by: bigint): bigint => (value > 0n ? (value + by - 1n) / by : 0n);
