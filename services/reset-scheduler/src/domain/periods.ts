import { type EpochNs, type Period, type PeriodDefinition, periodResolver } from '@bursar/contracts';

type Resolver = (at: EpochNs) => Period | null;

/** Calendars kept; budgets share few. When there are more, all are made again. */
const MOST = 2_000;
const RESOLVERS = new Map<string, Resolver>();

/** `periodAt`, with the calendar arithmetic of a million budgets that end together done once. */
export const periodOf = (definition: PeriodDefinition, at: EpochNs): Period | null => {
  const key = JSON.stringify(definition);
  let resolver = RESOLVERS.get(key);
  if (resolver === undefined) {
    resolver = periodResolver(definition);
    if (RESOLVERS.size >= MOST) RESOLVERS.clear();
    RESOLVERS.set(key, resolver);
  }
  return resolver(at);
};
