import { type EpochNs, formatPicos, parseInstant } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Scene, Standing } from '../check/standing.js';
import type { TenantFold } from '../tenant-fold.js';
import { TenantHistory } from '../tenant-history.js';
import { Alike } from './alike.js';
import type { Ask, Asked } from './ask.js';
import { decideReserve, type Granted } from './decide-reserve.js';

const NOW: EpochNs = parseInstant('2026-03-10T00:00:00Z');
const PERIOD = { start: parseInstant('2026-03-01T00:00:00Z'), end: parseInstant('2026-04-01T00:00:00Z') };
const AMOUNT = 7n;

/** Amounts in picos; `amount`: what the ask comes to in the budget's currency. */
type Given = Readonly<{
  mode: 'block' | 'notify' | 'off';
  blockAtPercent: number;
  limit: number | null;
  spend: number;
  currency: 'USD' | 'EUR';
  amount: number;
  override: number | null;
}>;
const given: fc.Arbitrary<Given> = fc.record({
  mode: fc.constantFrom('block', 'block', 'notify', 'off'),
  blockAtPercent: fc.constantFrom(100, 100, 150),
  limit: fc.option(fc.nat(100), { freq: 8 }),
  spend: fc.nat(30),
  currency: fc.constantFrom('USD', 'USD', 'USD', 'USD', 'EUR'),
  amount: fc.integer({ min: 1, max: 9 }),
  override: fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(50) }),
});

const standing = ({ mode, blockAtPercent, limit, spend, currency, amount, override }: Given, index: number): Standing => {
  const overrides =
    override === null
      ? []
      : [{ overrideId: `o${index}`, amount: { amount: formatPicos(BigInt(override)), currency }, expiresAt: '2027-01-01T00:00:00Z' }];
  const definition = { name: 'b', thresholds: [], enforcement: { mode, blockAtPercent, autoPause: false } };
  return {
    state: { budgetId: `b${index}`, currency, definition, controls: { overrides, pause: null, latch: null } },
    period: PERIOD,
    limit: limit === null ? null : BigInt(limit + (override ?? 0)),
    spend: BigInt(spend),
    reserved: 0n,
    counting: false,
    amount: currency === 'USD' ? AMOUNT : BigInt(amount),
    unit: currency === 'USD' ? 10n : 13n,
  } as unknown as Standing;
};

const tenantOf = (standings: readonly Standing[]): TenantFold =>
  ({
    tenant: 'acme',
    history: new TenantHistory('acme'),
    budgets: new Map(standings.map(({ state }) => [state.budgetId, { id: state.budgetId, periods: new Map() }])),
  }) as unknown as TenantFold;

const ask = (n: number): Ask => ({
  reservationId: `r${n}`,
  isCallers: false,
  bodyHash: 'same',
  scopes: ['user:a'],
  what: { amount: AMOUNT, currency: 'USD' },
  ttlNs: 1n,
});
const QUESTION: Asked = { about: { scopes: ['user:a'] }, amount: AMOUNT, currency: 'USD' };

const shown = (granted: Granted | null) =>
  granted && {
    left: granted.grant.left,
    tightest: granted.tightest && [granted.tightest.state.budgetId, granted.tightest.reserved],
    taken: granted.taken.map(({ picos }) => picos),
    budgets: granted.grant.terms.wire.budgets,
    overrides: granted.grant.terms.wire.overrideIds,
  };

test('what is asked alike right after is decided as if it were decided anew', () => {
  let subtracted = 0;
  fc.assert(
    fc.property(fc.array(given, { maxLength: 4 }), (all) => {
      const standings = all.map(standing);
      const tenant = tenantOf(standings);
      const anew = (n: number): { scene: Scene; granted: Granted | null } => {
        const then = standings.map((one) => ({ ...one, reserved: BigInt(n) * (one.amount ?? 0n) }));
        const scene = { standings: then, asked: { picos: AMOUNT, currency: 'USD' }, now: NOW };
        const decision = decideReserve(tenant, ask(n), scene, QUESTION, 1);
        return { scene, granted: typeof decision === 'object' && 'granted' in decision ? decision.granted : null };
      };
      const first = anew(0);
      const alike = first.granted && Alike.to(tenant, first.scene, first.granted);
      if (alike === null) return;
      for (let n = 1; n <= 20; n += 1) {
        const next = alike.next(tenant, ask(n));
        expect([n, shown(next)]).toEqual([n, shown(anew(n).granted)]);
        if (next === null) break;
        expect(next.grant.reservationId).toBe(`r${n}`);
        subtracted += 1;
      }
    }),
    { numRuns: 500 },
  );
  expect(subtracted).toBeGreaterThan(100);
});

test('another body, and another tenant, are another request', () => {
  const standings = [standing({ mode: 'block', blockAtPercent: 100, limit: 100, spend: 0, currency: 'USD', amount: 1, override: null }, 0)];
  const tenant = tenantOf(standings);
  const scene = { standings, asked: { picos: AMOUNT, currency: 'USD' }, now: NOW };
  const decision = decideReserve(tenant, ask(0), scene, QUESTION, 1);
  if (typeof decision !== 'object' || !('granted' in decision)) throw new Error('there is room');
  const alike = Alike.to(tenant, scene, decision.granted);
  expect([alike?.next(tenant, { ...ask(1), bodyHash: 'other' }), alike?.next(tenantOf(standings), ask(1))]).toEqual([null, null]);
  expect(alike?.next(tenant, ask(1))?.grant.terms).toBe(decision.granted.grant.terms);
});
