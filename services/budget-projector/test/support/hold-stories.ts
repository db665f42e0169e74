import fc from 'fast-check';

/** What reservations meet, small enough that things collide: three users in two teams of an organisation, some budgets, three currencies. */
export type Shape = Readonly<{
  scope: string;
  mode: 'block' | 'notify' | 'off';
  blockAtPercent: number;
  /** null: endless. */
  limit: number | null;
  currency: Currency;
  kind: 'daily' | 'monthly';
  category: string | null;
  model: string | null;
  rollover: 'none' | 'unused' | 'debt' | 'both';
}>;
/** Nothing converts to or from GBP. */
export type Currency = 'USD' | 'EUR' | 'GBP';
/** `moves`: from each scope to those above it. */
export type Tree = Readonly<Record<(typeof MOVING)[number], readonly string[]>>;
export type HoldWorld = Readonly<{ tree: Tree; budgets: readonly Shape[] }>;

type About = Readonly<{ scopes: readonly string[]; category: string | null; model: string | null }>;
export type OneAsk = About & Readonly<{ amount: number; currency: 'USD' | 'EUR'; id: number | null; ttl: number }>;
/** Usage; `id`: of the reservation that it names; `isPriced` false: it waits for the story's price, which is one dollar. */
export type OneUse = About & Readonly<{ id: number | null; amount: number; currency: 'USD' | 'EUR'; isPriced: boolean }>;
/** Usage that comes into the ledger between a decision and its own place there. */
type Meanwhile = Readonly<{ meanwhile: OneUse | null }>;
export type HoldStep =
  | (Meanwhile & Readonly<{ do: 'ask'; asks: readonly OneAsk[] }>)
  | (OneUse & Readonly<{ do: 'use' }>)
  | (Meanwhile & Readonly<{ do: 'release'; id: number }>)
  | (Meanwhile & Readonly<{ do: 'wait'; seconds: number }>)
  /** The owner's clock is ahead of the store's: it takes a hold for over that is not. */
  | (Meanwhile & Readonly<{ do: 'hurry'; id: number }>)
  /** Of one of the budgets, counted round. */
  | Readonly<{ do: 'edit'; budget: number; to: Partial<Pick<Shape, 'limit' | 'mode' | 'blockAtPercent'>> }>
  /** More room for a while; amount null: no enforcement for a while. */
  | Readonly<{ do: 'override'; budget: number; amount: number | null; seconds: number }>
  | Readonly<{ do: 'move'; scope: (typeof MOVING)[number]; to: readonly string[] }>
  | Readonly<{ do: 'rate'; from: 'USD' | 'EUR'; rate: number }>
  /** From the first on there is a price. */
  | Readonly<{ do: 'price' }>
  | Readonly<{ do: 'hand over' }>;

/** Nobody has said what it costs, until the story does. */
export const UNIT = 'things';

const USERS = ['user:0', 'user:1', 'user:2'] as const;
const TEAMS = ['team:0', 'team:1'] as const;
/** Scopes that have others above them; the root is above all. */
export const MOVING = [...USERS, ...TEAMS] as const;
const above = (scope: (typeof MOVING)[number]): readonly string[] => (scope.startsWith('user:') ? TEAMS : ['org:0']);

const constant = <const T>(value: T): fc.Arbitrary<T> => fc.constant(value);
const parents = (scope: (typeof MOVING)[number]): fc.Arbitrary<readonly string[]> => fc.subarray([...above(scope)]);
const tree: fc.Arbitrary<Tree> = fc.record({
  'user:0': parents('user:0'),
  'user:1': parents('user:1'),
  'user:2': parents('user:2'),
  'team:0': parents('team:0'),
  'team:1': parents('team:1'),
});
const spendable = fc.constantFrom<'USD' | 'EUR'>('USD', 'USD', 'EUR');
const edits = {
  limit: fc.oneof({ weight: 12, arbitrary: fc.integer({ min: 0, max: 150 }) }, { weight: 1, arbitrary: fc.constant(null) }),
  mode: fc.constantFrom<Shape['mode']>('block', 'block', 'block', 'block', 'notify', 'off'),
  blockAtPercent: fc.constantFrom(100, 100, 110, 150),
};
const shape: fc.Arbitrary<Shape> = fc.record({
  scope: fc.constantFrom(...MOVING, 'org:0', 'tenant:acme'),
  ...edits,
  currency: fc.oneof({ weight: 15, arbitrary: spendable }, { weight: 1, arbitrary: constant('GBP') }),
  kind: fc.constantFrom<Shape['kind']>('monthly', 'daily'),
  category: fc.constantFrom(null, null, null, 'chat'),
  model: fc.constantFrom(null, null, null, 'a', 'b*'),
  rollover: fc.constantFrom<Shape['rollover']>('none', 'none', 'unused', 'debt', 'both'),
});

const ids = fc.nat(4);
const amount = fc.integer({ min: 1, max: 40 });
const seconds = fc.integer({ min: 1, max: 120 });
const about = {
  scopes: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...USERS).map((one): readonly string[] => [one]) },
    { weight: 1, arbitrary: fc.subarray([...MOVING], { minLength: 1, maxLength: 3 }) },
  ),
  category: fc.constantFrom(null, 'chat', 'code'),
  model: fc.constantFrom(null, 'a', 'b1'),
};
const ask: fc.Arbitrary<OneAsk> = fc.record({ ...about, amount, currency: spendable, id: fc.option(ids), ttl: seconds });
/** Many ask for the same, one right after another. */
const asks = fc
  .array(fc.tuple(ask, fc.constantFrom(1, 1, 1, 2, 5)), { minLength: 1, maxLength: 6 })
  .map((all) => all.flatMap(([one, times]) => [one, ...Array.from({ length: times - 1 }, () => ({ ...one, id: null }))]));
const use = { ...about, id: fc.option(ids, { freq: 4 }), amount, currency: spendable, isPriced: fc.constantFrom(true, true, true, false) };
const meanwhile: fc.Arbitrary<OneUse | null> = fc.option(fc.record(use), { freq: 2 });
const step: fc.Arbitrary<HoldStep> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: constant('ask'), asks, meanwhile }) },
  { weight: 4, arbitrary: fc.record({ do: constant('use'), ...use }) },
  { weight: 2, arbitrary: fc.record({ do: constant('release'), id: ids, meanwhile }) },
  { weight: 2, arbitrary: fc.record({ do: constant('wait'), seconds, meanwhile }) },
  { weight: 1, arbitrary: fc.record({ do: constant('hurry'), id: ids, meanwhile }) },
  { weight: 1, arbitrary: fc.record({ do: constant('edit'), budget: fc.nat(5), to: fc.record(edits, { requiredKeys: [] }) }) },
  { weight: 1, arbitrary: fc.record({ do: constant('override'), budget: fc.nat(5), amount: fc.option(amount), seconds }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...MOVING).chain((scope) => fc.record({ do: constant('move'), scope: constant(scope), to: parents(scope) })),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: constant('rate'),
      from: fc.constantFrom<'USD' | 'EUR'>('USD', 'EUR'),
      rate: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: constant('price') }) },
  { weight: 1, arbitrary: fc.record({ do: constant('hand over') }) },
);

/** A world and what happens in it. */
export const holdStory: fc.Arbitrary<readonly [HoldWorld, readonly HoldStep[]]> = fc.tuple(
  fc.record({ tree, budgets: fc.array(shape, { minLength: 1, maxLength: 6 }) }),
  fc.array(step, { minLength: 1, maxLength: 25, size: 'max' }),
);
