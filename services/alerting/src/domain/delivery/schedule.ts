/** When a delivery is tried, in seconds from the first attempt (API.md, Alerts). */
const ATTEMPTS_AT_S = [0, 2, 10, 60, 300, 1_800, 7_200, 28_800, 86_400];
const JITTER = 0.2;
const MAX_RETRY_AFTER_S = 86_400;

/** How many attempts there are before a delivery is dead. */
export const MAX_TRIES = ATTEMPTS_AT_S.length;

/**
 * Milliseconds from the end of the `tries`-th failed attempt to the next one; null when that was the last. The steps of the schedule,
 * not its instants: after an outage of ours the attempts left are not made all at once. `random` in [0, 1) spreads ± 20 %; what the
 * target asked for with Retry-After is waited for, up to a day.
 */
export const retryDelayMs = (tries: number, random: number, retryAfterS: number | null): number | null => {
  const [before, next] = [ATTEMPTS_AT_S[tries - 1], ATTEMPTS_AT_S[tries]];
  if (before === undefined || next === undefined) return null;
  const spread = (next - before) * 1_000 * (1 + JITTER * (2 * random - 1));
  return Math.round(Math.max(spread, Math.min(retryAfterS ?? 0, MAX_RETRY_AFTER_S) * 1_000));
};
