import { type EpochNs, type Period, type PeriodDefinition, periodResolver } from '@bursar/contracts';

type Resolver = (at: EpochNs) => Period | null;

/** Calendars kept; budgets share few. When there are more, all are made again. */
const MOST = 2_000;
const RESOLVERS = new Map<string, Resolver>();
/** One definition is asked several times in a turn. */
const OF_DEFINITION = new WeakMap<PeriodDefinition, Resolver>();

/** `periodAt`, with the calendar arithmetic of a million budgets that end together done once. */
export const periodOf = (definition: PeriodDefinition, at: EpochNs): Period | null => {
  let resolver = OF_DEFINITION.get(definition);
  if (resolver === undefined) {
    resolver = resolverOf(definition);
    OF_DEFINITION.set(definition, resolver);
  }
  return resolver(at);
};

const resolverOf = (definition: PeriodDefinition): Resolver => {
  const key = JSON.stringify(definition);
  let resolver = RESOLVERS.get(key);
  if (resolver === undefined) {
    resolver = periodResolver(definition);
    if (RESOLVERS.size >= MOST) RESOLVERS.clear();
    RESOLVERS.set(key, resolver);
  }
  return resolver;
};
