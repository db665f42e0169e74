import type { HoldTerms } from '../events/holds.js';
import { type EpochNs, parseInstant } from '../values/instant.js';
import type { ScopeRef } from '../values/scope.js';

/**
 * What of a hold its settlement is charged by, as the grant said it (ARCHITECTURE, Settlement): on its path, at its rate, in its period.
 * Never changes once granted, so whoever charges the usage again needs nothing else of the hold.
 */
export type HoldFacts = Readonly<{
  path: readonly ScopeRef[];
  grantedAt: EpochNs;
  /** Exchange rates known at this position are the hold's. */
  decidedAt: number;
  /** What the usage does not say itself, it has of its hold. */
  category?: string;
  dimensions?: Readonly<Record<string, string>>;
}>;

/** The shape of a grant that the facts are in, as events and tables keep it. */
export type WireHoldFacts = Pick<HoldTerms, 'path' | 'grantedAt' | 'decidedAt' | 'category' | 'dimensions'>;

export const holdFacts = ({ path, grantedAt, decidedAt, category, dimensions }: WireHoldFacts): HoldFacts => ({
  path,
  grantedAt: parseInstant(grantedAt),
  decidedAt,
  ...(category !== undefined && { category }),
  ...(dimensions !== undefined && { dimensions }),
});
