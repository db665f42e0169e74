import { canonicalJson, type EpochNs, formatInstant, formatPicos, readOnce, remembering, type ScopeRef } from '@bursar/contracts';
import { chargedPath, tenantSettings } from '@bursar/contracts/folds';
import { type Decision, decideCheck } from '../check/decide-check.js';
import { remainingOf, roomOf, type Scene, type Standing, weighs } from '../check/standing.js';
import type { TenantFold } from '../tenant-fold.js';
import type { Ask, Asked } from './ask.js';
import { shareText, type TermsParts, termsText } from './grant-text.js';
import { Grant } from './hold.js';
import type { Left } from './left.js';
import { neededOverrides } from './needed-overrides.js';
import { type HeldAmount, Terms } from './terms.js';
import type { Undecided } from './undecided.js';

/** What is granted, as its event will say it, with the room that it takes; and the tightest budget once it has taken it. */
export type Granted = Readonly<{ grant: Grant; parts: TermsParts; taken: Undecided['taken']; tightest: Standing | null }>;
export type ReserveDecision =
  | Readonly<{ granted: Granted }>
  | Readonly<{ refused: Decision }>
  /** `deciding`: the nearest budget that has to know the amount; null: none has, the tenant denies it. */
  | Readonly<{ unpriced: readonly string[]; deciding: Standing | null }>
  | 'counting';

/**
 * All or none: granted iff spend + holds + amount ≤ block point on every applicable budget that blocks. Every applicable budget then
 * holds it in its own currency, also one that only notifies or has no limit; such a one without a rate holds nothing, since it refuses no amount.
 * What has no price is refused by any budget that blocks at a limit, and where the tenant denies unpriced usage; else it is granted and holds nothing.
 */
export const decideReserve = (tenant: TenantFold, ask: Ask, scene: Scene, question: Asked, position: number): ReserveDecision => {
  const { unpriced } = question;
  if (unpriced !== undefined) {
    const deciding = scene.standings.find((standing) => weighs(standing, scene.now)) ?? null;
    if (deciding !== null || deniesUnpriced(tenant, position)) return { unpriced, deciding };
  }
  const decision = decideCheck(scene, question);
  if (decision === 'counting') return decision;
  if (!decision.allowed) return { refused: decision };
  const taken = scene.standings.flatMap((standing) => {
    const budget = tenant.budgets.get(standing.state.budgetId);
    return budget === undefined || standing.amount === null ? [] : [{ budget, start: standing.period.start, picos: standing.amount }];
  });
  const tightest = decision.deciding === null ? null : withHold(decision.deciding);
  return { granted: { ...grantOf(tenant, ask, scene, question, position, tightest), taken, tightest } };
};

/** Its settlement would be refused. */
const deniesUnpriced = (tenant: TenantFold, position: number): boolean =>
  tenantSettings(tenant.history.definitions, position).unpricedPolicy === 'deny';

const withHold = (standing: Standing): Standing => ({ ...standing, reserved: standing.reserved + (standing.amount ?? 0n) });

type Written = Readonly<{ grant: Grant; parts: TermsParts }>;

const grantOf = (tenant: TenantFold, ask: Ask, scene: Scene, question: Asked, position: number, tightest: Standing | null): Written => {
  const { asked, standings, now } = scene;
  const { reservationId, bodyHash, scopes, category, dimensions, ttlNs } = ask;
  const path = chargedPath(tenant.history.definitions, scopes, position);
  const expiresAt: EpochNs = now + ttlNs;
  const overrideIds = neededOverrides(scene, question);
  const { unpriced } = question;
  const amount = formatPicos(asked.picos);
  const amounts: HeldAmount[] = [];
  const shares: string[] = [];
  for (const { state, period, amount: picos } of standings) {
    if (picos === null) continue;
    amounts.push({ budgetId: state.budgetId, picos });
    const text = picos === asked.picos ? amount : formatPicos(picos);
    shares.push(shareText(text, state.budgetId, startOf(tenant, state.budgetId, period.start)));
  }
  const parts: TermsParts = {
    bodyHash: `"${bodyHash}"`,
    path: pathText(path),
    amount: `"${amount}"`,
    currency: `"${asked.currency}"`,
    ...(category !== undefined && { category: JSON.stringify(category) }),
    ...(dimensions !== undefined && { dimensions: canonicalJson(dimensions) }),
    grantedAt: `"${instantText(now)}"`,
    expiresAt: `"${instantText(expiresAt)}"`,
    ...(overrideIds.length > 0 && { overrideIds: JSON.stringify(overrideIds) }),
    ...(unpriced !== undefined && { unpriced: JSON.stringify(unpriced) }),
    decidedAt: String(position),
    budgets: `[${shares.join(',')}]`,
    tightest: tightest === null ? 'null' : JSON.stringify(tightest.state.budgetId),
  };
  const facts = {
    path,
    grantedAt: now,
    decidedAt: position,
    ...(category !== undefined && { category }),
    ...(dimensions !== undefined && { dimensions }),
  };
  const tightestId = tightest?.state.budgetId ?? null;
  const terms = new Terms(termsText(parts), bodyHash, facts, amounts, asked.picos, asked.currency, expiresAt, tightestId);
  const left = tightest === null ? UNBOUND : { remaining: remainingOf(tightest), graceRemaining: roomOf(tightest) };
  return { grant: new Grant(reservationId, terms, left), parts };
};

/** No budget applied. */
const UNBOUND: Left = { remaining: null, graceRemaining: null };

/** The tree hands out one array again and again. */
const pathText = readOnce((path: readonly ScopeRef[]): string => JSON.stringify(path));

/** What is decided together is granted at one moment, and much of it for as long. */
const instantText = remembering(formatInstant, 8);

/** The text is at hand where the period is in memory. */
const startOf = (tenant: TenantFold, budgetId: string, start: EpochNs): string =>
  tenant.budgets.get(budgetId)?.periods.get(start)?.startText ?? instantText(start);
