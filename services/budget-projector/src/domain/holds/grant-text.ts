import { canonicalJson, type HoldTerms } from '@bursar/contracts';
import { type Sees, seesAll } from '../check/audience.js';
import type { LeftTexts } from './left.js';

/**
 * The terms of a grant, each part as its JSON: the event and the answers are put together of them, so that each is written once. Absent parts are not
 * said.
 */
export type TermsParts = Readonly<{
  bodyHash: string;
  path: string;
  amount: string;
  currency: string;
  category?: string;
  dimensions?: string;
  grantedAt: string;
  expiresAt: string;
  overrideIds?: string;
  unpriced?: string;
  decidedAt: string;
  budgets: string;
  tightest: string;
}>;

/** As an event says them: canonical JSON, keys in order at every level. */
export const termsText = (parts: TermsParts): string =>
  `{"amount":${parts.amount},"bodyHash":${parts.bodyHash},"budgets":${parts.budgets}${said('category', parts.category)}` +
  `,"currency":${parts.currency},"decidedAt":${parts.decidedAt}${said('dimensions', parts.dimensions)}` +
  `,"expiresAt":${parts.expiresAt},"grantedAt":${parts.grantedAt}${said('overrideIds', parts.overrideIds)}` +
  `,"path":${parts.path},"tightest":${parts.tightest}${said('unpriced', parts.unpriced)}}`;

/** An amount needs no escapes. */
export const quoted = (amount: string | null): string => (amount === null ? 'null' : `"${amount}"`);

/** What an event grants to one tenant on the same terms (contracts `HoldsGranted`): canonical JSON. @param left with the first; null: no budget applied */
export const grantedText = (tenant: string, terms: string, reservationIds: readonly string[], left: LeftTexts | null): string =>
  `{"change":"granted"${leftText(left)},"reservationIds":${JSON.stringify(reservationIds)},"tenant":${JSON.stringify(tenant)},"terms":${terms}}`;

const leftText = (left: LeftTexts | null): string => {
  if (left === null) return '';
  const { remaining, graceRemaining } = left;
  const grace = graceRemaining === remaining ? '' : `,"graceRemaining":${quoted(graceRemaining)}`;
  return `${grace},"remaining":${quoted(remaining)}`;
};

/** What every answer says of the terms, as the members of a JSON object without its braces. */
export const termsMembers = (parts: TermsParts): string =>
  `"amount":${parts.amount},"currency":${parts.currency}${said('category', parts.category)}${said('dimensions', parts.dimensions)}` +
  `,"path":${parts.path},"grantedAt":${parts.grantedAt},"expiresAt":${parts.expiresAt},"budgets":${parts.budgets}` +
  `${said('overrideIds', parts.overrideIds)}${said('unpriced', parts.unpriced)}`;

/** One budget's share: amount as decimal text, start as RFC 3339. */
export const shareText = (amount: string, budgetId: string, periodStart: string): string =>
  `{"amount":"${amount}","budgetId":${JSON.stringify(budgetId)},"periodStart":"${periodStart}"}`;

/** Of the terms, what says nothing of budgets that their reader may not see. An override is one of theirs, or not: then none is said. */
export const partsAbout = (parts: TermsParts, sees: Sees): TermsParts => {
  if (sees === seesAll) return parts;
  const shares = JSON.parse(parts.budgets) as HoldTerms['budgets'];
  const seen = shares.filter(({ budgetId }) => sees(budgetId));
  if (seen.length === shares.length) return parts;
  const { overrideIds: _, ...others } = parts;
  return { ...others, budgets: JSON.stringify(seen) };
};

/** Of terms that were read. */
export const partsOf = (wire: HoldTerms): TermsParts => {
  const { category, dimensions, overrideIds, unpriced } = wire;
  return {
    bodyHash: JSON.stringify(wire.bodyHash),
    path: JSON.stringify(wire.path),
    amount: JSON.stringify(wire.amount),
    currency: JSON.stringify(wire.currency),
    ...(category !== undefined && { category: JSON.stringify(category) }),
    ...(dimensions !== undefined && { dimensions: canonicalJson(dimensions) }),
    grantedAt: JSON.stringify(wire.grantedAt),
    expiresAt: JSON.stringify(wire.expiresAt),
    ...(overrideIds !== undefined && { overrideIds: JSON.stringify(overrideIds) }),
    ...(unpriced !== undefined && { unpriced: JSON.stringify(unpriced) }),
    decidedAt: String(wire.decidedAt),
    budgets: `[${wire.budgets.map(({ amount, budgetId, periodStart }) => shareText(amount, budgetId, periodStart)).join(',')}]`,
    tightest: JSON.stringify(wire.tightest),
  };
};

const said = (name: string, json: string | undefined): string => (json === undefined ? '' : `,"${name}":${json}`);
