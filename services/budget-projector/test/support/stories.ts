import type { BudgetDefinition } from '@bursar/contracts';
import fc from 'fast-check';

/** What may happen to a tenant, small enough that things meet: three users in two teams, a handful of budgets, two currencies. */
export type Step =
  | {
      do: 'use';
      user: number;
      team: boolean;
      amount: number | null;
      currency: 'USD' | 'EUR';
      model: string;
      tokens: number;
      agoHours: number;
      failed: boolean;
      /** Percent for each of {@link ALLOCATED} in turn; null: not split. */
      percents: readonly number[] | null;
      /** Rated by ingestion, by the prices of so many events ago; null: left to the fold. */
      lag: number | null;
    }
  | { do: 'repeat'; which: number }
  /** Takes back one of the latest usages: 0 is the last one. */
  | { do: 'void'; back: number }
  /** States another cost for one of the latest usages. */
  | { do: 'adjust'; back: number; amount: number; currency: 'USD' | 'EUR' }
  | { do: 'create'; budget: number; shape: BudgetShape }
  | { do: 'change'; budget: number; shape: BudgetShape }
  /** Limit and thresholds only: nothing is counted anew. */
  | { do: 'edit'; budget: number; limits: Partial<Pick<BudgetShape, 'limit' | 'percents' | 'amount'>> }
  | { do: 'delete'; budget: number }
  | { do: 'move'; user: number; team: number }
  | { do: 'price'; model: string; amount: number }
  /** Corrects a price of one of the latest lists, or adds the one it lacked. */
  | { do: 'correct'; back: number; model: string; amount: number }
  | { do: 'rate'; from: 'USD' | 'EUR'; rate: number; agoHours: number }
  | { do: 'wait'; hours: number };

export type BudgetShape = {
  scope: string;
  model: string | null;
  limit: number | null;
  currency: 'USD' | 'EUR';
  kind: 'daily' | 'monthly';
  percents: number[];
  amount: number | null;
};

/** How the projector happens to run meanwhile. */
export type Turn =
  | { turn: 'fold'; events: number }
  | { turn: 'commit' | 'send' | 'crash' | 'crash after commit' | 'count' | 'rerate' | 'evict' | 'break down' };

export const SCOPES = ['user:0', 'user:1', 'user:2', 'team:0', 'team:1', 'tenant:acme'] as const;
/** A user, and a team that may be hers; a team whose only way up is the root. */
export const ALLOCATED = ['user:1', 'team:0', 'team:1'] as const;
const MODELS = ['a', 'b'] as const;

const currency = fc.constantFrom<'USD' | 'EUR'>('USD', 'USD', 'EUR');
const limits = {
  limit: fc.constantFrom(null, 0, 10, 50, 50, 200, 200),
  percents: fc.uniqueArray(fc.constantFrom(20, 50, 80, 100, 150), { maxLength: 4 }),
  amount: fc.constantFrom(null, null, 15, 40, 120),
};
const shape: fc.Arbitrary<BudgetShape> = fc.record({
  scope: fc.constantFrom(...SCOPES),
  model: fc.constantFrom(null, null, 'a', 'b*'),
  currency,
  kind: fc.constantFrom<'daily' | 'monthly'>('daily', 'monthly'),
  ...limits,
});

const use: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('use' as const),
  user: fc.nat(2),
  team: fc.boolean(),
  amount: fc.option(fc.nat(30), { freq: 3, nil: null }),
  currency,
  model: fc.constantFrom(...MODELS),
  tokens: fc.nat(20),
  agoHours: fc.constantFrom(0, 0, 0, 1, 20, 60),
  failed: fc.boolean(),
  percents: fc.option(
    fc.constantFrom([100], [50, 50], [33, 34, 33], [70, 0, 30], [1, 98, 1]).map((all): readonly number[] => all),
    { freq: 3, nil: null },
  ),
  lag: fc.option(fc.constantFrom(0, 0, 1, 4, 12), { nil: null }),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 24, arbitrary: use },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('repeat' as const), which: fc.nat(30) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('void' as const), back: fc.nat(12) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('adjust' as const), back: fc.nat(12), amount: fc.nat(30), currency }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('correct' as const),
      back: fc.nat(3),
      model: fc.constantFrom(...MODELS),
      amount: fc.nat(5),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('create' as const), budget: fc.nat(4), shape }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('change' as const), budget: fc.nat(4), shape }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('edit' as const), budget: fc.nat(4), limits: fc.record(limits, { requiredKeys: [] }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), budget: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('move' as const), user: fc.nat(2), team: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('price' as const), model: fc.constantFrom(...MODELS), amount: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('rate' as const),
      from: fc.constantFrom<'USD' | 'EUR'>('USD', 'EUR'),
      rate: fc.integer({ min: 1, max: 5 }),
      agoHours: fc.constantFrom(0, 10, 1_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.constantFrom(1, 5, 24) }) },
);

const turn: fc.Arbitrary<Turn> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ turn: fc.constant('fold' as const), events: fc.integer({ min: 1, max: 12 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      turn: fc.constantFrom(
        'commit' as const,
        'send' as const,
        'crash' as const,
        'crash after commit' as const,
        'count' as const,
        'rerate' as const,
        'evict' as const,
        'break down' as const,
      ),
    }),
  },
);

/** Steps of the world with turns of the projector between them; some budgets are there before anything is used. */
export const story = (maxLength = 90): fc.Arbitrary<readonly (Step | Turn)[]> =>
  fc
    .tuple(fc.array(shape, { maxLength: 3 }), fc.array(fc.oneof(step, step, step, turn), { minLength: 10, maxLength, size: 'max' }))
    .map(([shapes, rest]) => [...shapes.map((one, budget) => ({ do: 'create' as const, budget, shape: one })), ...rest]);

export const definitionOf = ({ scope, model, limit, currency: code, kind, percents, amount }: BudgetShape): BudgetDefinition => ({
  name: 'b',
  scope,
  ...(model !== null && { filter: { dimensions: { model } } }),
  limit: { amount: limit === null ? null : String(limit), currency: code } as BudgetDefinition['limit'],
  period: { kind, timezone: 'UTC', recurring: true },
  thresholds: [
    ...percents.map((percent) => ({ percent: String(percent), severity: 'warning' as const, actions: ['notify' as const] })),
    ...(amount === null ? [] : [{ amount: String(amount), severity: 'info' as const, actions: ['notify' as const] }]),
  ],
  levels: {},
  // Half of those that can be reached have a breaker as well.
  enforcement: { mode: 'block', blockAtPercent: 100, autoPause: limit === 50 },
  rollover: { mode: 'none' },
  permissions: { budgetVisibleToUser: true, userCanModifyLimit: false, userCanResetBudget: false },
  validFrom: null,
  validUntil: null,
  metadata: {},
});

/** The same for the same seed. Nobody deletes: the longer budgets live, the more is said of them. */
export const steps = (seed: number, count: number): readonly Step[] =>
  fc
    .sample(story(80), { seed, numRuns: 40 })
    .flat()
    .filter((one): one is Step => 'do' in one && one.do !== 'delete')
    .slice(0, count);

/** The first budget, of all the tenant spends. */
export const budgetStep = (shape: Partial<Extract<Step, { do: 'create' }>['shape']>): Step => ({
  do: 'create',
  budget: 0,
  shape: { scope: 'tenant:acme', model: null, limit: 100, currency: 'USD', kind: 'monthly', percents: [], amount: null, ...shape },
});

/** So much by the first user, just now. */
export const useStep = (amount: number): Step => ({
  do: 'use',
  user: 0,
  team: false,
  amount,
  currency: 'USD',
  model: 'a',
  tokens: 0,
  agoHours: 0,
  failed: false,
  lag: null,
  percents: null,
});
