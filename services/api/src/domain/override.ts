import { type BudgetDefinition, formatInstant, MAX_BALANCE_PICOS, parseInstant, parsePicos, periodAt } from '@bursar/contracts';
import { type BudgetControls, type ControlEvent, liveIncrease, liveOverrides, type Override, readGrant } from '@bursar/contracts/folds';
import type { NewEvent } from './new-event.js';
import { Rejection } from './rejection.js';

/** Every grant a budget ever had, with what became of it. */
export type Grant = Override & Readonly<{ revokedAt: string | null; revokedBy: string | null }>;

export type GrantOverride = Readonly<{
  type: 'GrantOverride';
  budgetId: string;
  overrideId: string;
  /** In the budget's currency when none is named. */
  amount: Readonly<{ amount: string; currency?: string }> | null;
  enforcement: 'off' | null;
  /** Either of the two. Days and longer are wall time in the budget's zone. */
  duration?: string;
  expiresAt?: string;
  reason: string;
  now: string;
}>;
/** All that are live. */
export type RevokeAllOverrides = Readonly<{ type: 'RevokeAllOverrides'; budgetId: string; now: string }>;
export type RevokeOverride = Readonly<{ type: 'RevokeOverride'; budgetId: string; overrideId: string; now: string }>;

type Grantable = Readonly<{ definition: BudgetDefinition; controls: BudgetControls }>;

/** What every status and every decision of the budget has to look through. */
const MAX_LIVE = 100;

export const grantOverride = (command: GrantOverride, { definition, controls }: Grantable): readonly NewEvent<'OverrideGranted'>[] => {
  const { budgetId, overrideId, enforcement, reason } = command;
  const now = parseInstant(command.now);
  const amount = inCurrency(command, definition);
  const expiresAt = endOf(command, definition);
  if (parseInstant(expiresAt) <= now) throw new Rejection('order', 'It has to end after now.', '/expiresAt');
  if (liveOverrides(controls, now).length >= MAX_LIVE) throw new Rejection('too_many', `A budget has ${MAX_LIVE} live overrides at most.`);
  if (amount !== null) {
    const increase = parsePicos(amount.amount) + liveIncrease(controls, amount.currency, now);
    if (parsePicos(definition.limit.amount ?? '0') + increase > MAX_BALANCE_PICOS) {
      throw new Rejection('too_large', 'The limit would pass the largest amount.', '/amount');
    }
  }
  return [{ type: 'OverrideGranted', data: { budgetId, overrideId, amount, enforcement, expiresAt, reason } }];
};

/** Revoking what was revoked, or is over, changes nothing. */
export const revokeOverride = (
  { budgetId, overrideId, now }: RevokeOverride,
  { grants }: Readonly<{ grants: readonly Grant[] }>,
): readonly NewEvent<'OverrideRevoked'>[] => {
  const grant = grants.find((known) => known.overrideId === overrideId);
  if (grant === undefined) throw new Rejection('not_found', 'There is no such override.');
  if (stateOf(grant, now) !== 'active') return [];
  return [{ type: 'OverrideRevoked', data: { budgetId, overrideId } }];
};

/** None live: it is so already. */
export const revokeAllOverrides = (
  { budgetId, now }: RevokeAllOverrides,
  { grants }: Readonly<{ grants: readonly Grant[] }>,
): readonly NewEvent<'OverrideRevoked'>[] =>
  grants
    .filter((grant) => stateOf(grant, now) === 'active')
    .map(({ overrideId }) => ({ type: 'OverrideRevoked', data: { budgetId, overrideId } }));

/** Total; pauses are no grants. */
export const evolveGrants = (grants: readonly Grant[], event: ControlEvent): readonly Grant[] => {
  switch (event.type) {
    case 'OverrideGranted':
      return [...grants, { ...readGrant(event), revokedAt: null, revokedBy: null }];
    case 'OverrideRevoked': {
      const revoked = { revokedAt: formatInstant(parseInstant(event.recordedAt)), revokedBy: event.meta.actor ?? null };
      return grants.map((grant) =>
        grant.overrideId === event.data.overrideId && grant.revokedAt === null ? { ...grant, ...revoked } : grant,
      );
    }
    case 'BudgetPaused':
    case 'BudgetResumed':
      return grants;
  }
};

export const stateOf = ({ revokedAt, expiresAt }: Grant, now: string): 'active' | 'expired' | 'revoked' => {
  if (revokedAt !== null) return 'revoked';
  return parseInstant(expiresAt) <= parseInstant(now) ? 'expired' : 'active';
};

const inCurrency = ({ amount }: GrantOverride, { limit }: BudgetDefinition) => {
  if (amount === null) return null;
  const { currency = limit.currency } = amount;
  if (currency !== limit.currency) throw new Rejection('currency', "Has to be the budget's currency.", '/amount/currency');
  return { amount: amount.amount, currency };
};

const endOf = ({ duration, expiresAt, now }: GrantOverride, { period }: BudgetDefinition): string => {
  if (expiresAt !== undefined) return expiresAt;
  if (duration === undefined) throw new Rejection('required', 'Either duration or expiresAt.', '/duration');
  // One rolling period from now on: the calendar's rules for lengths are in one place.
  const span = periodAt({ kind: 'rolling', length: duration, timezone: period.timezone, anchor: now, recurring: true }, parseInstant(now));
  if (span === null) throw new RangeError('a rolling period holds its own anchor');
  return formatInstant(span.end);
};
