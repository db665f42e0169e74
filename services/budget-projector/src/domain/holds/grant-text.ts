import { canonicalJson, type HoldGranted } from '@bursar/contracts';
import { type Sees, seesAll } from '../check/audience.js';

/**
 * What a grant says, each part as its JSON: the event, the row and the answer are put together of them, so that each is written once.
 * Absent parts are not said.
 */
export type GrantParts = Readonly<{
  reservationId: string;
  tenant: string;
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
  tightest: Readonly<{ budgetId: string; remaining: string; graceRemaining: string }> | null;
}>;

/** A grant as its event says it: canonical JSON, keys in order at every level. */
export const grantText = (parts: GrantParts): string => {
  const { tightest } = parts;
  const tight =
    tightest === null
      ? 'null'
      : `{"budgetId":${tightest.budgetId},"graceRemaining":${tightest.graceRemaining},"remaining":${tightest.remaining}}`;
  return (
    `{"amount":${parts.amount},"bodyHash":${parts.bodyHash},"budgets":${parts.budgets}${said('category', parts.category)}` +
    `,"change":"granted","currency":${parts.currency},"decidedAt":${parts.decidedAt}${said('dimensions', parts.dimensions)}` +
    `,"expiresAt":${parts.expiresAt},"grantedAt":${parts.grantedAt}${said('overrideIds', parts.overrideIds)}` +
    `,"path":${parts.path},"reservationId":${parts.reservationId},"tenant":${parts.tenant},"tightest":${tight}` +
    `${said('unpriced', parts.unpriced)}}`
  );
};

/** What every answer says of a grant, as the members of a JSON object without its braces. */
export const grantMembers = (parts: GrantParts): string =>
  `"amount":${parts.amount},"currency":${parts.currency}${said('category', parts.category)}${said('dimensions', parts.dimensions)}` +
  `,"path":${parts.path},"grantedAt":${parts.grantedAt},"expiresAt":${parts.expiresAt},"budgets":${parts.budgets}` +
  `${said('overrideIds', parts.overrideIds)}${said('unpriced', parts.unpriced)}`;

/** One budget's share: amount as decimal text, start as RFC 3339. */
export const shareText = (amount: string, budgetId: string, periodStart: string): string =>
  `{"amount":"${amount}","budgetId":${JSON.stringify(budgetId)},"periodStart":"${periodStart}"}`;

/** Of a grant, what says nothing of budgets that its reader may not see. An override is one of theirs, or not: then none is said. */
export const partsAbout = (parts: GrantParts, sees: Sees): GrantParts => {
  if (sees === seesAll) return parts;
  const shares = JSON.parse(parts.budgets) as readonly HoldGranted['budgets'][number][];
  const seen = shares.filter(({ budgetId }) => sees(budgetId));
  if (seen.length === shares.length) return parts;
  const { overrideIds: _, ...said } = parts;
  return { ...said, budgets: JSON.stringify(seen) };
};

/** Of a grant that was read. */
export const partsOf = (wire: HoldGranted): GrantParts => {
  const { category, dimensions, overrideIds, unpriced, tightest } = wire;
  return {
    reservationId: JSON.stringify(wire.reservationId),
    tenant: JSON.stringify(wire.tenant),
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
    tightest: tightest === null ? null : mapped(tightest),
  };
};

const mapped = ({ budgetId, remaining, graceRemaining }: NonNullable<HoldGranted['tightest']>): NonNullable<GrantParts['tightest']> => ({
  budgetId: JSON.stringify(budgetId),
  remaining: JSON.stringify(remaining),
  graceRemaining: JSON.stringify(graceRemaining),
});

const said = (name: string, json: string | undefined): string => (json === undefined ? '' : `,"${name}":${json}`);
