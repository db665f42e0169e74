import { type BudgetDefinition, type EpochNs, formatInstant, parsePicos } from '@bursar/contracts';
import type { BudgetState } from '@bursar/contracts/folds';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decideCheck } from './decide-check.js';
import type { Question, Standing } from './standing.js';

const NOW: EpochNs = 1_000n;
type Given = Partial<{
  id: string;
  mode: BudgetDefinition['enforcement']['mode'];
  blockAt: number;
  thresholds: BudgetDefinition['thresholds'];
  paused: string;
  /** Latched until this instant, in nanoseconds. */
  latchedUntil: number;
  off: boolean;
  limit: string | null;
  spend: string;
  reserved: string;
  counting: boolean;
  incomplete: boolean;
  amount: string | null;
  unit: string;
}>;

const standing = (given: Given = {}): Standing => {
  const { id = 'b', mode = 'block', blockAt = 100, thresholds = [], paused, latchedUntil, off = false } = given;
  const { limit = '100', spend = '0', reserved = '0', counting = false, incomplete = false, amount = '10', unit = '1' } = given;
  const state = {
    budgetId: id,
    currency: 'USD',
    definition: { name: id, scope: `team:${id}`, thresholds, enforcement: { mode, blockAtPercent: blockAt, autoPause: false } },
    controls: {
      pause: paused === undefined ? null : { since: '', by: null, reason: paused },
      ...(latchedUntil !== undefined && {
        automatic: { since: '', periodStart: '1970-01-01T00:00:00Z', periodEnd: formatInstant(BigInt(latchedUntil)) },
      }),
      overrides: off ? [{ overrideId: 'o', amount: null, enforcement: 'off', expiresAt: '1970-01-01T00:00:00.000001001Z' }] : [],
    },
  } as unknown as BudgetState;
  return {
    state,
    period: { start: 0n, end: 2_000n },
    limit: limit === null ? null : parsePicos(limit),
    spend: parsePicos(spend),
    reserved: parsePicos(reserved),
    counting,
    incomplete,
    amount: amount === null ? null : parsePicos(amount),
    unit: parsePicos(unit),
  };
};

const ask = (standings: readonly Standing[], question: Partial<Question> = {}, now = NOW) => {
  const asked = { about: { scopes: ['user:a'] }, amount: parsePicos('10'), currency: 'USD', ...question };
  const decision = decideCheck({ standings, asked: { picos: asked.amount, currency: 'USD' }, now }, asked);
  if (decision === 'counting') return 'counting';
  const { allowed, refusal, deciding, actions } = decision;
  return { allowed, code: refusal?.code ?? null, by: deciding?.state.budgetId ?? null, actions: actions.map(({ action }) => action) };
};

const at = (percent: string, actions: BudgetDefinition['thresholds'][number]['actions'], more: object = {}) => [
  { percent, severity: 'warning' as const, actions, ...more },
];

describe('what one budget says', () => {
  test.each<[string, Given, boolean, string | null]>([
    ['paused automatically, refuses though there is room', { spend: '0', latchedUntil: 1_001 }, false, 'budget_paused'],
    ['no longer once that period is over, by the clock alone', { spend: '0', latchedUntil: 1_000 }, true, null],
    ['up to its block point', { spend: '90' }, true, null],
    ['a pico past it', { spend: '90.000000000001' }, false, 'budget_exceeded'],
    ['grace to its block point', { spend: '100', blockAt: 110 }, true, null],
    ['a pico past the grace', { spend: '100.000000000001', blockAt: 110 }, false, 'budget_exceeded'],
    ['unlimited', { spend: '1000000', limit: null }, true, null],
    ['a limit of nothing', { limit: '0' }, false, 'budget_exceeded'],
    ['notify never refuses', { mode: 'notify', spend: '1000', paused: 'x', amount: null, counting: true }, true, null],
    ['off never refuses', { mode: 'off', spend: '1000', paused: 'x', amount: null, counting: true }, true, null],
    ['an override that switches enforcement off', { spend: '1000', off: true }, true, null],
    ['paused, whatever room there is', { paused: 'audit' }, false, 'budget_paused'],
    ['incomplete, whatever room there is', { incomplete: true }, false, 'budget_incomplete'],
    ['incomplete, but it only notifies', { mode: 'notify', incomplete: true }, true, null],
    ['no rate', { amount: null }, false, 'rate_missing'],
    ['no rate, and no limit that would need one', { amount: null, limit: null }, true, null],
    ['block-all from its threshold on', { spend: '50', thresholds: at('50', ['block-all']) }, false, 'budget_exceeded'],
    ['block-all before it', { spend: '49.99', thresholds: at('50', ['block-all']) }, true, null],
    ['approval from its threshold on', { spend: '50', thresholds: at('50', ['require-approval']) }, false, 'approval_required'],
    ['a downgrade only suggests', { spend: '50', thresholds: at('50', ['auto-downgrade'], { downgrade: { a: 'b' } }) }, true, null],
  ])('%s', (_, given, allowed, code) => {
    expect(ask([standing(given)])).toMatchObject({ allowed, code });
  });

  test('an override that switches enforcement off ends by the clock alone', () => {
    const given = [standing({ spend: '1000', off: true })];
    expect([ask(given, {}, 1_000n), ask(given, {}, 1_001n)]).toMatchObject([{ allowed: true }, { allowed: false }]);
  });

  test('only the models of its list, once the threshold is reached and where the model is known', () => {
    const thresholds = at('50', ['restrict-models'], { allowedModels: ['haiku', 'gpt-*-mini'] });
    const of = (model: string | undefined, spend = '50') =>
      ask([standing({ spend, thresholds })], model === undefined ? {} : { dimensions: { model } });
    expect(of('opus')).toEqual({ allowed: false, code: 'model_not_allowed', by: 'b', actions: ['restrict-models'] });
    for (const model of ['haiku', 'gpt-5-mini', undefined])
      expect(of(model)).toMatchObject({ allowed: true, actions: ['restrict-models'] });
    expect(of('opus', '49')).toMatchObject({ allowed: true, actions: [] });
  });

  test('the reason of a pause is told', () => {
    const decision = decideCheck(
      { standings: [standing({ paused: 'audit' })], asked: { picos: 1n, currency: 'USD' }, now: NOW },
      { about: { scopes: [] }, amount: 1n, currency: null },
    );
    expect(decision).toMatchObject({ refusal: { reason: 'Budget b is paused: audit.' } });
  });
});

describe('which budget decides', () => {
  test('none applies: allowed', () => {
    expect(ask([])).toEqual({ allowed: true, code: null, by: null, actions: [] });
  });

  test('the one with the least room, nearest first where it is equal', () => {
    const [wide, narrow, same] = [
      standing({ id: 'wide', spend: '10' }),
      standing({ id: 'narrow', spend: '40' }),
      standing({ id: 'same', spend: '40' }),
    ];
    expect(ask([wide, narrow, same])).toMatchObject({ allowed: true, by: 'narrow' });
    expect(ask([wide, standing({ id: 'unlimited', limit: null })])).toMatchObject({ by: 'wide' });
  });

  test('a graver refusal decides, and the tightest is still the one with the least room', () => {
    const standings = [standing({ id: 'paused', paused: 'audit' }), standing({ id: 'narrow', spend: '80' })];
    const decision = decideCheck(
      { standings, asked: { picos: 1n, currency: 'USD' }, now: NOW },
      { about: { scopes: [] }, amount: 1n, currency: null },
    );
    expect(decision).toMatchObject({ deciding: { state: { budgetId: 'paused' } }, tightest: { state: { budgetId: 'narrow' } } });
  });

  test('a budget that only notifies does not, where one blocks', () => {
    expect(ask([standing({ id: 'loud', mode: 'notify', spend: '99' }), standing({ id: 'strict' })])).toMatchObject({ by: 'strict' });
  });

  test('across currencies, by what the asked one is worth', () => {
    const [yen, dollar] = [
      standing({ id: 'yen', spend: '0', unit: '150', amount: '1500', limit: '3000' }),
      standing({ id: 'dollar', spend: '50' }),
    ];
    expect(ask([dollar, yen])).toMatchObject({ allowed: true, by: 'yen' });
  });

  test('of those that refuse, the graver reason speaks; a budget that blocks and counts leaves it open', () => {
    const [over, paused] = [standing({ id: 'over', spend: '99' }), standing({ id: 'paused', paused: 'x' })];
    expect(ask([over, paused])).toMatchObject({ allowed: false, code: 'budget_paused', by: 'paused' });
    expect(ask([over, standing({ counting: true })])).toBe('counting');
  });
});

const anyStanding = fc
  .record({
    mode: fc.constantFrom('block' as const, 'block' as const, 'notify' as const, 'off' as const),
    blockAt: fc.integer({ min: 100, max: 150 }),
    limit: fc.option(fc.integer({ min: 0, max: 40 }), { nil: null }),
    spend: fc.integer({ min: 0, max: 60 }),
    amount: fc.integer({ min: 0, max: 20 }),
    paused: fc.integer({ min: 0, max: 9 }),
  })
  .map((given) => ({
    ...given,
    standing: standing({
      mode: given.mode,
      blockAt: given.blockAt,
      limit: given.limit === null ? null : String(given.limit),
      spend: String(given.spend),
      amount: String(given.amount),
      ...(given.paused === 0 && { paused: 'x' }),
    }),
  }));

test('allowed iff spend + amount fits under every block point, in whole numbers; the decider is a refuser, and none is tighter', () => {
  fc.assert(
    fc.property(fc.array(anyStanding, { maxLength: 6 }), (all) => {
      const refuses = ({ mode, limit, blockAt, spend, amount, paused }: (typeof all)[number]): boolean =>
        mode === 'block' && (paused === 0 || (limit !== null && (spend + amount) * 100 > limit * blockAt));
      const decision = decideCheck(
        { standings: all.map(({ standing: one }) => one), asked: { picos: 1n, currency: 'USD' }, now: NOW },
        { about: { scopes: [] }, amount: 1n, currency: null },
      );
      if (decision === 'counting') throw new Error('nothing counts here');
      expect(decision.allowed).toBe(!all.some(refuses));
      const by = all.find(({ standing: one }) => one === decision.deciding);
      expect(by === undefined).toBe(all.length === 0);
      if (by === undefined) return;
      if (!decision.allowed) expect(refuses(by)).toBe(true);
      const room = ({ limit, blockAt, spend }: (typeof all)[number]): number => (limit === null ? Infinity : limit * blockAt - spend * 100);
      const rivals = all.filter((one) =>
        decision.allowed ? one.mode === by.mode : refuses(one) && (one.paused === 0) === (by.paused === 0),
      );
      if (decision.allowed && by.mode !== 'block') expect(all.some(({ mode }) => mode === 'block')).toBe(false);
      else for (const rival of rivals) expect(room(by)).toBeLessThanOrEqual(room(rival));
      // Spent by as many callers as were told yes at once, the last one passes the point by its own amount at most.
      if (decision.worstOvershoot > 0n) expect(decision.worstOvershoot).toBe(by.standing.amount);
    }),
    { numRuns: 400 },
  );
});
