import { canonicalJson, type EpochNs, formatInstant, formatPicos, type HoldGranted } from '@bursar/contracts';
import { chargedPath, tenantSettings } from '@bursar/contracts/folds';
import { type Decision, decideCheck } from '../check/decide-check.js';
import { blocks, remainingOf, roomOf, type Scene, type Standing } from '../check/standing.js';
import type { TenantFold } from '../tenant-fold.js';
import type { Ask, Asked } from './ask.js';
import type { Grant } from './hold.js';
import { neededOverrides } from './needed-overrides.js';
import type { Undecided } from './undecided.js';

/** What is granted, as its event will say it, with the room that it takes; and the tightest budget once it has taken it. */
export type Granted = Readonly<{ grant: Grant; taken: Undecided['taken']; tightest: Standing | null }>;
export type ReserveDecision =
  | Readonly<{ granted: Granted }>
  | Readonly<{ refused: Decision }>
  | Readonly<{ unpriced: readonly string[] }>
  | 'counting';

/**
 * All or none: granted iff spend + holds + amount ≤ block point on every applicable budget that blocks. Every applicable budget then
 * holds it in its own currency, also one that only notifies; such a one without a rate holds nothing, since it never refuses. What has
 * no price is refused by any budget that blocks, and where the tenant denies unpriced usage; else it is granted and holds nothing.
 */
export const decideReserve = (tenant: TenantFold, ask: Ask, scene: Scene, question: Asked, position: number): ReserveDecision => {
  const { unpriced } = question;
  if (unpriced !== undefined && (deniesUnpriced(tenant, position) || scene.standings.some((standing) => blocks(standing, scene.now)))) {
    return { unpriced };
  }
  const decision = decideCheck(scene, question);
  if (decision === 'counting') return decision;
  if (!decision.allowed) return { refused: decision };
  const taken = scene.standings.flatMap((standing) => {
    const budget = tenant.budgets.get(standing.state.budgetId);
    return budget === undefined || standing.amount === null ? [] : [{ budget, start: standing.period.start, picos: standing.amount }];
  });
  const tightest = decision.deciding === null ? null : withHold(decision.deciding);
  return { granted: { grant: grantOf(tenant, ask, scene, question, position, tightest), taken, tightest } };
};

/** Its settlement would be refused. */
const deniesUnpriced = (tenant: TenantFold, position: number): boolean =>
  tenantSettings(tenant.history.definitions, position).unpricedPolicy === 'deny';

const withHold = (standing: Standing): Standing => ({ ...standing, reserved: standing.reserved + (standing.amount ?? 0n) });

const grantOf = (tenant: TenantFold, ask: Ask, scene: Scene, question: Asked, position: number, tightest: Standing | null): Grant => {
  const { asked, standings, now } = scene;
  const { reservationId, bodyHash, scopes, category, dimensions, ttlNs } = ask;
  const path = chargedPath(tenant.history.definitions, scopes, position);
  const expiresAt: EpochNs = now + ttlNs;
  const overrideIds = neededOverrides(scene, question);
  const { unpriced } = question;
  // Keys in order at every level: then the plain JSON of it is the canonical one.
  const wire: HoldGranted = {
    amount: formatPicos(asked.picos),
    bodyHash,
    budgets: standings.flatMap(({ state, period, amount }) =>
      amount === null
        ? []
        : [{ amount: formatPicos(amount), budgetId: state.budgetId, periodStart: startOf(tenant, state.budgetId, period.start) }],
    ),
    ...(category !== undefined && { category }),
    change: 'granted',
    currency: asked.currency,
    decidedAt: position,
    ...(dimensions !== undefined && { dimensions }),
    expiresAt: formatInstant(expiresAt),
    grantedAt: formatInstant(now),
    ...(overrideIds.length > 0 && { overrideIds: [...overrideIds] }),
    path: [...path],
    reservationId,
    tenant: tenant.tenant,
    tightest:
      tightest === null
        ? null
        : { budgetId: tightest.state.budgetId, graceRemaining: text(roomOf(tightest)), remaining: text(remainingOf(tightest)) },
    ...(unpriced !== undefined && { unpriced: [...unpriced] }),
  };
  return {
    wire,
    // What a caller names its dimensions may be a number, which JavaScript puts first.
    text: dimensions === undefined ? JSON.stringify(wire) : canonicalJson(wire),
    facts: {
      path,
      grantedAt: now,
      decidedAt: position,
      ...(category !== undefined && { category }),
      ...(dimensions !== undefined && { dimensions }),
    },
    amounts: standings.flatMap(({ state, amount }) => (amount === null ? [] : [{ budgetId: state.budgetId, picos: amount }])),
    amount: asked.picos,
    expiresAt,
  };
};

/** The text is at hand where the period is in memory. */
const startOf = (tenant: TenantFold, budgetId: string, start: EpochNs): string =>
  tenant.budgets.get(budgetId)?.periods.get(start)?.startText ?? formatInstant(start);

const text = (picos: bigint | null): string | null => (picos === null ? null : formatPicos(picos));
