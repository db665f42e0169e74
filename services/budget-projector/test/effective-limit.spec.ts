import type { BudgetDefinition } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Scenario } from './support/scenario.js';

/** What moves a limit without changing it: time, overrides, what earlier periods left. */
type Step =
  | { do: 'use'; amount: number; daysAgo: number }
  | { do: 'grant'; amount: number; hours: number }
  | { do: 'revoke'; which: number }
  | { do: 'edit'; limit: number; mode: BudgetDefinition['rollover']['mode']; cap: string; autoPause: boolean }
  | { do: 'void'; back: number }
  | { do: 'pause' | 'resume' }
  | { do: 'wait'; hours: number };

const mode = fc.constantFrom<BudgetDefinition['rollover']['mode']>('none', 'unused', 'debt', 'both');
const use: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('use' as const),
  amount: fc.constantFrom(0, 1, 20, 40),
  daysAgo: fc.constantFrom(0, 0, 0, 1, 2),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: use },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.constantFrom(1, 3, 6, 24) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('grant' as const), amount: fc.constantFrom(20, 100), hours: fc.integer({ min: 1, max: 8 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revoke' as const), which: fc.nat(3) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('edit' as const),
      limit: fc.constantFrom(0, 50, 100),
      mode,
      cap: fc.constantFrom('0', '30', '1000'),
      autoPause: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const, 'resume' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('void' as const), back: fc.nat(4) }) },
);

const HOUR = 3_600_000;

/** The same story, with something done to the projector after every step of it. */
const told = async (rolls: boolean, steps: readonly Step[], between: 'nothing' | 'crash' | 'evict'): Promise<Scenario> => {
  const story = new Scenario(between === 'evict' ? { tenants: 1, definitions: 1, periods: 1 } : undefined).budget(
    { kind: 'daily', percents: [50, 80, 100] },
    { rollover: { mode: rolls ? 'both' : 'none' }, enforcement: breaker(true) },
  );
  let granted = 0;
  for (const one of steps) {
    const now = story.ledger.nowMs;
    if (one.do === 'use') story.use(String(one.amount), { occurredAt: new Date(now - one.daysAgo * 24 * HOUR).toISOString() });
    else if (one.do === 'grant') {
      story.grant(`o${granted}`, String(one.amount), new Date(now + one.hours * HOUR).toISOString());
      granted += 1;
    } else if (one.do === 'revoke') story.revoke(`o${one.which}`);
    else if (one.do === 'edit') {
      const { limit, cap, autoPause } = one;
      const enforcement = breaker(autoPause);
      story.change(
        { kind: 'daily', limit, percents: [50, 80, 100] },
        { rollover: rolls ? { mode: one.mode, cap } : { mode: 'none' }, enforcement },
      );
    } else if (one.do === 'void') story.void(one.back);
    else if (one.do === 'wait') story.at(new Date(now + one.hours * HOUR).toISOString());
    else story.control(one.do === 'pause' ? 'BudgetPaused' : 'BudgetResumed');
    await story.folded();
    if (between !== 'nothing') await story.driver.take({ turn: between });
  }
  return story;
};

const breaker = (autoPause: boolean): BudgetDefinition['enforcement'] => ({ mode: 'block', blockAtPercent: 100, autoPause });

const standing = (story: Scenario): unknown => ({
  said: story.ledger.events.filter(({ stream }) => stream.startsWith('balance-')).map(({ id, position, data }) => ({ id, position, data })),
  thresholds: [...story.tables.thresholds.entries()].sort(),
  budgets: [...story.tables.budgets.values()],
  quarantined: [...story.tables.quarantined.values()],
});

test('overrides, rollover and automatic pauses are judged alike by a projector that never stops and by one that begins anew after every event', () =>
  fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }), async (rolls, steps) => {
      const expected = standing(await told(rolls, steps, 'nothing'));
      expect(expected).toMatchObject({ quarantined: [] });
      expect(standing(await told(rolls, steps, 'crash'))).toEqual(expected);
      expect(standing(await told(rolls, steps, 'evict'))).toEqual(expected);
    }),
    { numRuns: 100 },
  ));
