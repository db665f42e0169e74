import type { PeriodDefinition } from '../events/budget.js';
import { type EpochNs, formatInstant, parseInstant } from './instant.js';

/**
 * Resets by hand cut a period in two (ARCHITECTURE, Thresholds): it ends where the reset was recorded and the next opens there, to the
 * same boundary. They are kept beside the rule that they cut, whatever rule replaces it.
 */
export type PeriodReset = Readonly<{ at: string; position: number }>;

/** The definition cut once more, by a reset recorded at an instant and position after all it has. */
export const withReset = (period: PeriodDefinition, recordedAt: string, position: number): PeriodDefinition => ({
  ...period,
  resets: [...(period.resets ?? []), { at: formatInstant(parseInstant(recordedAt)), position }],
});

/** A new rule, cut where the one before was. */
export const keepResets = (period: PeriodDefinition, before: PeriodDefinition): PeriodDefinition => {
  const rule = withoutResets(period);
  return before.resets === undefined ? rule : { ...rule, resets: before.resets };
};

/** The rule alone: what was asked for. */
export const withoutResets = (period: PeriodDefinition): PeriodDefinition => {
  if (period.resets === undefined) return period;
  const { resets: _, ...rule } = period;
  return rule;
};

/** Does a reset by hand begin a period at this instant? Nothing is carried over it. */
export const isResetAt = ({ resets }: PeriodDefinition, at: EpochNs): boolean =>
  (resets ?? []).some((reset) => parseInstant(reset.at) === at);

/** A reset, read. */
export type Cut = Readonly<{ at: EpochNs; position: number }>;

export const cutsOf = ({ resets }: PeriodDefinition): readonly Cut[] =>
  resets === undefined ? NO_CUTS : resets.map(({ at, position }) => ({ at: parseInstant(at), position }));
const NO_CUTS: readonly Cut[] = [];

/** The part of a period that holds the instant; cuts at its ends leave it whole. */
export const cutPeriod = <P extends Readonly<{ start: EpochNs; end: EpochNs }>>(whole: P, cuts: readonly Cut[], at: EpochNs): P => {
  let { start, end } = whole;
  for (const cut of cuts) {
    if (cut.at > start && cut.at <= at) start = cut.at;
    else if (cut.at > at && cut.at < end) end = cut.at;
  }
  return start === whole.start && end === whole.end ? whole : { ...whole, start, end };
};
