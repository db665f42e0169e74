import { type EpochNs, NS_PER_MS } from '@bursar/contracts';

/** Past this, "in the future" and "too old" mean something else to whoever stamps events here (RELIABILITY F34). Seconds. */
export const LARGEST_SKEW_SECONDS = 2;

/**
 * How far a machine's clock is ahead of the database's (negative: behind), in seconds, from its time before and after the database was
 * asked for its own, epoch ms. The database read its clock somewhere in between, so up to half the round trip may be no skew: that much
 * is taken off, and a slow answer never looks like a wrong clock.
 */
export const clockSkew = (before: number, after: number, database: EpochNs): number => {
  const at = Number(database / NS_PER_MS);
  const ahead = before > at ? before - at : after < at ? after - at : 0;
  return ahead / 1_000;
};
