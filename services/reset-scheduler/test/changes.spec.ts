import { anchorPeriod, type BudgetDefinition, type EpochNs, formatInstant, parseInstant } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Fact, nextDue, takeDue } from '../src/domain/due.js';
import { periodOf } from '../src/domain/periods.js';
import { evolveTimer, type Timer, type TimerEvent } from '../src/domain/timer.js';
import { begins, calendars, HOUR } from './support/calendars.js';
import { BUDGET, recorded, said } from './support/events.js';

const ID = 'b1';

type Change =
  | Readonly<{ what: 'look' | 'reset' }>
  | Readonly<{ what: 'calendar'; period: BudgetDefinition['period'] }>
  | Readonly<{ what: 'end'; afterHours: bigint | null }>
  | Readonly<{ what: 'grant'; forHours: bigint }>
  | Readonly<{ what: 'revoke'; which: number }>;

const hours = (max: bigint) => fc.bigInt({ min: 1n, max });
const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.constant({ what: 'look' as const }),
  fc.constant({ what: 'reset' as const }),
  fc.record({ what: fc.constant('calendar' as const), period: calendars }),
  fc.record({ what: fc.constant('end' as const), afterHours: fc.option(hours(3_000n)) }),
  fc.record({ what: fc.constant('grant' as const), forHours: hours(800n) }),
  fc.record({ what: fc.constant('revoke' as const), which: fc.nat(3) }),
);
const steps = fc.array(fc.record({ afterHours: fc.bigInt({ min: 0n, max: 1_000n }), change: changes }), { minLength: 1, maxLength: 14 });

/** A budget, its ledger and its scheduler, which looks when it is told and sleeps otherwise. */
class Life {
  readonly ledger: TimerEvent[] = [];
  readonly facts: { fact: Fact; definedPosition: number | null }[] = [];
  readonly revoked = new Set<string>();
  /** Instants of resets by hand. */
  readonly resets = new Set<EpochNs>();
  #definition: BudgetDefinition;
  #timer: Timer | null = null;
  #now: EpochNs;

  constructor(begin: string, period: BudgetDefinition['period']) {
    this.#now = parseInstant(begin);
    this.#definition = { ...BUDGET, period: anchorPeriod(period, begin) };
    this.#append((position, at) => recorded('BudgetCreated', position, at, { budgetId: ID, definition: this.#definition }));
  }

  get timer(): Timer | null {
    return this.#timer;
  }

  step(afterHours: bigint, change: Change): void {
    this.#now += afterHours * HOUR;
    const at = formatInstant(this.#now);
    switch (change.what) {
      case 'look':
        this.#look();
        break;
      case 'calendar':
        this.#change({ period: anchorPeriod(change.period, at) });
        break;
      case 'end':
        this.#change({ validUntil: change.afterHours === null ? null : formatInstant(this.#now + change.afterHours * HOUR) });
        break;
      case 'reset':
        this.#reset();
        break;
      case 'grant':
        this.#grant(this.#now + change.forHours * HOUR);
        break;
      case 'revoke':
        this.#revoke(change.which);
        break;
    }
  }

  #look(): void {
    for (let turn = 0; this.#timer !== null; turn += 1) {
      const { facts } = takeDue(this.#timer, this.#now, 3);
      for (const fact of facts) {
        expect(fact.at <= this.#now).toBe(true);
        this.facts.push({ fact, definedPosition: this.#timer.rule.definedPosition });
        this.#append((position, at) => said(ID, fact, position, at));
      }
      if (facts.length === 0) break;
      expect(turn).toBeLessThan(10_000);
    }
    const next = this.#timer === null ? null : nextDue(this.#timer);
    expect(next === null || next > this.#now).toBe(true);
  }

  #change(parts: Partial<BudgetDefinition>): void {
    this.#definition = { ...this.#definition, ...parts };
    this.#append((position, at) => recorded('BudgetChanged', position, at, { budgetId: ID, definition: this.#definition }));
  }

  /** Where no period is open there is nothing to reset, and the api refuses it. */
  #reset(): void {
    const { rule } = this.#timer ?? {};
    if (rule === undefined || periodOf(rule.period, this.#now) === null) return;
    if (rule.validUntil !== null && parseInstant(rule.validUntil) <= this.#now) return;
    const data = { budgetId: ID, reason: null, previousLimit: '1', previousSpend: '0', newLimit: null, currency: 'USD' };
    this.resets.add(this.#now);
    this.#append((position, at) => recorded('BudgetReset', position, at, data));
  }

  #grant(until: EpochNs): void {
    const grant = { amount: null, enforcement: 'off', expiresAt: formatInstant(until), reason: 'x' } as const;
    this.#append((position, at) => recorded('OverrideGranted', position, at, { budgetId: ID, overrideId: `o${position}`, ...grant }));
  }

  #revoke(which: number): void {
    const live = this.#timer?.rule.overrides[which];
    if (live === undefined) return;
    this.revoked.add(live.overrideId);
    this.#append((position, at) => recorded('OverrideRevoked', position, at, { budgetId: ID, overrideId: live.overrideId }));
  }

  #append(event: (position: number, at: string) => TimerEvent): void {
    const next = event(this.ledger.length + 1, formatInstant(this.#now));
    this.ledger.push(next);
    this.#timer = evolveTimer(this.#timer, next);
  }
}

const eachOnce = (keys: readonly string[]): void => expect(keys.length).toBe(new Set(keys).size);

describe('however a budget is changed, and whenever the scheduler looks', () => {
  test('resets missed or doubled #36940 #34733: what is said is said once, and periods of one calendar follow each other without a gap', () => {
    fc.assert(
      fc.property(calendars, begins, steps, (period, begin, all) => {
        const life = new Life(begin, period);
        for (const { afterHours, change } of [...all, { afterHours: 2_000n, change: { what: 'look' as const } }]) {
          life.step(afterHours, change);
        }
        // Rebuilt from the ledger, the timer is where it is.
        expect(life.ledger.reduce<Timer | null>((timer, event) => evolveTimer(timer, event), null)).toEqual(life.timer);

        const ended = life.facts.flatMap(({ fact, definedPosition }) =>
          fact.fact === 'period_ended' ? [{ ...fact, definedPosition }] : [],
        );
        eachOnce(ended.map(({ period: { start }, definedPosition }) => `${definedPosition} ${start}`));
        for (const [index, { period: ending, definedPosition }] of ended.entries()) {
          const before = ended[index - 1];
          // Closed when the budget expired, made valid again within that period, and reset by hand: the new one begins before the old one's end.
          const isCutLater = before !== undefined && before.at < before.period.end && life.resets.has(ending.start);
          if (before?.definedPosition === definedPosition) {
            if (isCutLater) expect(ending.start >= before.at).toBe(true);
            else expect(ending.start).toBe(before.period.end);
          }
          expect(ending.start < ending.end).toBe(true);
        }
        const expired = life.facts.flatMap(({ fact }) => (fact.fact === 'override_expired' ? [fact.overrideId] : []));
        eachOnce(expired);
        expect(expired.filter((overrideId) => life.revoked.has(overrideId))).toEqual([]);
        eachOnce(life.facts.flatMap(({ fact }) => (fact.fact === 'budget_expired' ? [fact.validUntil] : [])));
      }),
      { numRuns: 150 },
    );
  });
});
