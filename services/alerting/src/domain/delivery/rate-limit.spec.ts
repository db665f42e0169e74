import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decideNotice, NO_NOTICES, type NoticeLimit, noticeOf } from './rate-limit.js';

const HOUR = 3_600_000;
const threshold = (budgetId: string, percent: string) =>
  noticeOf({ event: 'threshold.crossed', budgetId, details: { threshold: percent } as never });

/** Every notice in order: when, of which kind. */
const play = (notices: readonly (readonly [number, string])[], limit: NoticeLimit) => {
  const state = new Map<string, ReturnType<typeof decideNotice>['notices']>();
  return notices.map(([at, kind]) => {
    const decision = decideNotice(state.get(kind) ?? NO_NOTICES, at, limit);
    state.set(kind, decision.notices);
    return { at, kind, ...decision };
  });
};

describe('what e-mail and Slack hear of', () => {
  test('a repeat within the hour is held back, summed up when it ends, and heard again after it', () => {
    const kind = threshold('b', '80%');
    const heard = play(
      [0, 1_000, 2_000, HOUR, HOUR + 1_000].map((at) => [at, kind] as const),
      { max: 1, windowMs: HOUR },
    );
    expect(heard.map(({ send }) => send)).toEqual([true, false, false, true, false]);
    expect(heard.map(({ beginsSummary }) => beginsSummary)).toEqual([false, true, false, false, true]);
    expect(heard[1]?.notices.summaryAt).toBe(HOUR);
    expect(heard[4]?.notices.summaryAt).toBe(2 * HOUR);
  });

  test('regression, alerts spam or go silent: another threshold, budget or event is another notice', () => {
    const kinds = [
      threshold('b', '80%'),
      threshold('b', '95%'),
      threshold('b', 'amount:400'),
      threshold('c', '80%'),
      noticeOf({ event: 'threshold.cleared', budgetId: 'b', details: { threshold: '80%' } as never }),
      noticeOf({ event: 'budget.paused', budgetId: 'b', details: {} as never }),
    ];
    expect(
      play(
        kinds.map((kind, at) => [at, kind]),
        { max: 1, windowMs: HOUR },
      ).every(({ send }) => send),
    ).toBe(true);
  });

  test('whatever happens: the first of a kind is heard, no window holds more than allowed, and every one held back is summed up', () => {
    const story = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.constantFrom('80%', '95%', 'paused')), { maxLength: 60 });
    fc.assert(
      fc.property(story, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 900 }), (steps, max, windowMs) => {
        let now = 0;
        const heard = play(
          steps.map(([wait, kind]) => {
            now += wait;
            return [now, kind] as const;
          }),
          { max, windowMs },
        );
        for (const kind of new Set(heard.map((one) => one.kind))) {
          const ofKind = heard.filter((one) => one.kind === kind);
          expect(ofKind[0]?.send).toBe(true);
          const sent = ofKind.filter(({ send }) => send).map(({ at }) => at);
          for (const at of sent) expect(sent.filter((other) => other > at - windowMs && other <= at).length).toBeLessThanOrEqual(max);
          let summaryAt = Number.NEGATIVE_INFINITY;
          for (const one of ofKind.filter(({ send }) => !send)) {
            if (one.beginsSummary) summaryAt = one.notices.summaryAt ?? summaryAt;
            // Its summary was announced, comes after it, and not later than a window.
            expect(summaryAt).toBeGreaterThan(one.at);
            expect(summaryAt).toBeLessThanOrEqual(one.at + windowMs);
          }
        }
      }),
    );
  });
});
