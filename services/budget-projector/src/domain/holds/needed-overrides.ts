import type { EpochNs } from '@bursar/contracts';
import { liveIncrease, liveOverrides, type Override } from '@bursar/contracts/folds';
import { blocks, type Scene, type Standing, weighs } from '../check/standing.js';
import { refusalOf } from '../check/verdict.js';
import type { Asked } from './ask.js';

/**
 * The overrides that let through what was just allowed: the live ones of every budget that would have refused it, or not known, without
 * them (PRODUCT B10). Of several on one budget all are named, since they give room together.
 */
export const neededOverrides = ({ standings, now }: Scene, question: Asked): readonly string[] =>
  standings.flatMap((standing) => {
    const live = liveOverrides(standing.state.controls, now);
    if (live.length === 0) return [];
    const before = withoutOverrides(standing, now);
    if (!blocks(before, now)) return [];
    const refuses =
      before.counting || (question.unpriced !== undefined && weighs(before, now)) || refusalOf(before, question, now) !== null;
    return refuses ? live.filter(gives(standing)).map(({ overrideId }) => overrideId) : [];
  });

/** An increase in another currency dates from before the budget's changed: it gives nothing. */
const gives =
  ({ state }: Standing) =>
  ({ amount, enforcement }: Override): boolean =>
    enforcement === 'off' || amount?.currency === state.currency;

const withoutOverrides = (standing: Standing, now: EpochNs): Standing => {
  const { state, limit } = standing;
  return {
    ...standing,
    state: { ...state, controls: { ...state.controls, overrides: [] } },
    limit: limit === null ? null : limit - liveIncrease(state.controls, state.currency, now),
  };
};
