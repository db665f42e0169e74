import type { Terms } from '../domain/holds/terms.js';
import type { HoldRow } from './hold-rows.js';

/** What was granted to one tenant by one event; a table keeps it as one row. */
export type NewGroup = Readonly<{
  tenant: string;
  /** Position of the event. */
  since: number;
  /** What of the event grants them, on each of its terms. */
  terms: ReadonlySet<Terms>;
  /** How many of them are held. */
  open: number;
  /** Of the last event that changed one of them. */
  position: number;
}>;

/** What became of a group that its table has: so many of its holds are held no more. */
export type ChangedGroup = Readonly<{ tenant: string; since: number; ended: number; position: number }>;

/** @param rows that the tables do not have */
export const newGroups = (rows: readonly HoldRow[]): readonly NewGroup[] => {
  const groups = new Map<string, NewGroup & { terms: Set<Terms>; open: number; position: number }>();
  for (const { tenant, since, terms, status, position } of rows) {
    if (terms === null) continue;
    const key = keyOf(tenant, since);
    const group = groups.get(key) ?? { tenant, since, terms: new Set<Terms>(), open: 0, position };
    groups.set(key, group);
    group.terms.add(terms);
    if (status === 'held') group.open += 1;
    group.position = Math.max(group.position, position);
  }
  return [...groups.values()];
};

/** @param rows that the tables have */
export const changedGroups = (rows: readonly HoldRow[]): readonly ChangedGroup[] => {
  const groups = new Map<string, ChangedGroup & { ended: number; position: number }>();
  for (const { tenant, since, terms, ends, position } of rows) {
    if (terms === null) continue;
    const key = keyOf(tenant, since);
    const group = groups.get(key) ?? { tenant, since, ended: 0, position };
    groups.set(key, group);
    if (ends) group.ended += 1;
    group.position = Math.max(group.position, position);
  }
  return [...groups.values()];
};

const keyOf = (tenant: string, since: number): string => `${since} ${tenant}`;
