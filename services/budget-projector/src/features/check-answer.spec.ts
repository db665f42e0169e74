import { type EpochNs, formatPicos } from '@bursar/contracts';
import { type BudgetState, blockPoint } from '@bursar/contracts/folds';
import { CheckAnswer, ConstraintsAnswer } from '@bursar/contracts/http';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decideCheck } from '../domain/check/decide-check.js';
import { endOf, remainingOf, roomOf, type Standing } from '../domain/check/standing.js';
import { sentencesOf } from '../domain/check/verdict.js';
import { checkAnswer, constraintsAnswer } from './check-answer.js';

const NOW: EpochNs = 1_000n;
const picos = fc.bigInt({ min: 0n, max: 10n ** 15n });
const name = fc.oneof(fc.string(), fc.constantFrom('"quoted" \\ back', 'ünï\u{1F600}', 'line\nbreak'));

const standing = fc
  .record({
    name,
    id: name,
    limit: fc.option(picos),
    blockAtPercent: fc.constantFrom(100, 120, 50),
    spend: picos,
    reserved: picos,
    amount: picos,
    isVisible: fc.boolean(),
    period: fc.constantFrom(
      { kind: 'monthly', recurring: true },
      { kind: 'custom', start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' },
    ),
  })
  .map(({ name, id, limit, blockAtPercent, spend, reserved, amount, isVisible, period }): Standing => {
    const definition = {
      name,
      scope: `team:${id}`,
      thresholds: [],
      enforcement: { mode: 'block', blockAtPercent, autoPause: false },
      permissions: { budgetVisibleToUser: isVisible },
      period,
    };
    const state = { budgetId: id, currency: 'USD', definition, controls: { pause: null, overrides: [] } } as unknown as BudgetState;
    return { state, period: { start: 0n, end: 2_000_000_000n }, limit, spend, reserved, counting: false, amount, unit: 1n };
  });

const text = (amount: bigint | null): string | null => (amount === null ? null : formatPicos(amount));

test('the text of an answer is JSON of its schema that says the standing, whatever budgets are called', () => {
  fc.assert(
    fc.property(fc.option(standing), fc.constantFrom('operator', 'user'), (deciding, audience) => {
      const asked = { about: { scopes: ['team:a'] }, amount: deciding?.amount ?? 1n, currency: 'USD' };
      const scene = { standings: deciding === null ? [] : [deciding], asked: { picos: asked.amount, currency: 'USD' }, now: NOW };
      const decision = decideCheck(scene, asked);
      if (decision === 'counting') throw new Error('nothing is being counted');
      const decided = { decision, scene, position: 7 };
      const { body, headers } = checkAnswer(decided, 3, audience);
      const said = JSON.parse(body);
      expect(CheckAnswer.safeParse(said).success || (audience === 'user' && !('remaining' in said))).toBe(true);
      const isSeen = deciding !== null && (audience === 'operator' || deciding.state.definition.permissions.budgetVisibleToUser);
      expect('bursar-budget' in headers).toBe(isSeen);
      const { reason = null, allowed, ...rest } = said;
      expect(allowed).toBe(decision.allowed);
      const constraints = JSON.parse(constraintsAnswer(decided, 3, audience).body);
      expect(constraints).toEqual({ canProceed: allowed, reason, ...rest });
      expect(ConstraintsAnswer.safeParse(constraints).success || !isSeen).toBe(true);
      const { code, resetAt, ...figures } = rest;
      expect(code).toBe(decision.refusal?.code);
      expect(resetAt).toBe(deciding?.state.definition.period.kind === 'monthly' ? endOf(deciding.period) : undefined);
      const always = { suggestedActions: [], worstOvershoot: text(decision.worstOvershoot), position: '3:7' };
      if (deciding === null) expect(figures).toEqual({ remaining: null, graceRemaining: null, ...always });
      else if (!isSeen) expect(figures).toEqual(always);
      else {
        const { budgetId, definition, currency } = deciding.state;
        expect(reason).toBe(decision.refusal === null ? null : sentencesOf(decision.refusal));
        expect(figures).toEqual({
          budgetId,
          scope: definition.scope,
          currency,
          currentSpend: text(deciding.spend),
          reserved: text(deciding.reserved),
          limit: text(deciding.limit),
          blockPoint: text(blockPoint(definition, deciding.limit)),
          remaining: text(remainingOf(deciding)),
          graceRemaining: text(roomOf(deciding)),
          ...always,
        });
      }
    }),
  );
});
