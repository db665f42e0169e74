import type { CorrectingEvent, Correction } from '@bursar/contracts/folds';
import { planCorrection } from '../../domain/fold-correction.js';
import type { Plan } from '../../domain/posting.js';
import type { ProjectionTables } from '../projection-tables.js';
import type { Flush, OpenChanges } from './open-changes.js';
import type { ReservationsFold } from './reservations.js';

/**
 * Voids and reratings in a row, of one another's usage too. Each asks what was said of its usage before, and whether it was set aside: what
 * was never counted is not taken back.
 */
export const foldCorrections = async (
  tables: Pick<ProjectionTables, 'setAside'>,
  open: OpenChanges,
  reservations: ReservationsFold,
  events: readonly CorrectingEvent[],
  flush: Flush,
  passed: (event: CorrectingEvent) => void,
): Promise<void> => {
  const [first] = events;
  if (first === undefined) return;
  if (open.lackQuarantined) await flush();
  const aside = await tables.setAside(
    first.partition,
    events.map(({ data }) => data.original.position),
  );
  const known = await knownOf(open, events);
  const plans: { event: CorrectingEvent; plan: Plan | null }[] = [];
  for (const event of events) {
    const tenant = await open.memory.tenant(event.meta.tenant);
    const { position } = event.data.original;
    const corrections = known.get(event.meta.tenant)?.get(position) ?? [];
    const neverCounted = aside.get(position);
    const before = { corrections, neverCounted: neverCounted === undefined ? NOBODY : neverCounted };
    await reservations.tell(tenant, event.data.original);
    const plan = open.attempt(event, () => planCorrection(tenant, event, before));
    if (plan?.corrects !== undefined) known.get(event.meta.tenant)?.set(position, [...corrections, plan.corrects.correction]);
    plans.push({ event, plan });
  }
  await open.memory.load(plans.flatMap(({ plan }) => plan?.postings ?? []));
  for (const { event, plan } of plans) {
    if (plan !== null && open.apply(plan, event.position)) reservations.corrected(plan, event);
    passed(event);
  }
};

const NOBODY: ReadonlySet<string> = new Set();

/** By tenant and position of the usage. */
const knownOf = async (open: OpenChanges, events: readonly CorrectingEvent[]) => {
  const known = new Map<string, Map<number, readonly Correction[]>>();
  for (const [tenant, ofTenant] of Map.groupBy(events, ({ meta }) => meta.tenant)) {
    const positions = ofTenant.map(({ data }) => data.original.position);
    known.set(tenant, new Map(await open.corrections(tenant, positions)));
  }
  return known;
};
