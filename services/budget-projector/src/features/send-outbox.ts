import type { Emitted } from '../domain/emitted.js';
import type { Ledger } from './ledger.js';
import type { ProjectionTables } from './projection-tables.js';

/** Streams appended to at the same time: the store commits them in one group. */
const TOGETHER = 64;

/** Appends emitted events to the store, in order within each stream, then forgets them. A repeat is a duplicate by id. */
export const sendOutbox = async (
  ledger: Ledger,
  tables: ProjectionTables,
  partition: number,
  events: readonly Emitted[],
): Promise<void> => {
  const byStream = Map.groupBy(events, ({ stream }) => stream);
  const units = [...byStream];
  for (let from = 0; from < units.length; from += TOGETHER) {
    await Promise.all(units.slice(from, from + TOGETHER).map(([stream, unit]) => ledger.append(partition, stream, unit)));
  }
  if (events.length > 0) {
    await tables.sent(
      partition,
      events.map(({ id }) => id),
    );
  }
};
