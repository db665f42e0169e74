import { formatInstant, NS_PER_MS } from '@bursar/contracts';
import { type EventStore, lastRecordedBy, type StoredEvent } from '@bursar/event-store';

/** What a stream keeps: messages so old, and so many bytes of them. Infinity: no limit. */
export type Retention = Readonly<{ ageMs: number; bytes: number }>;

/** Events at the end of a partition that say how large its events are. */
const SAMPLE_EVENTS = 200;
/** No append is larger: within so many positions one ends. */
const LONGEST_APPEND = 2_000;

/**
 * From where a stream that lost everything is filled again, by partition: what its retention would have kept, by age, and no more than
 * it has room for, for it would drop that at once while whoever listens live has to wait. The room is estimated, rather too large.
 */
export const refillFrom = async (store: EventStore, { ageMs, bytes }: Retention): Promise<ReadonlyMap<number, number>> => {
  const heads = (await store.heads()).filter(({ position }) => position > 0);
  const oldest = Number.isFinite(ageMs) ? formatInstant(BigInt(Math.floor((await store.clock()) - ageMs)) * NS_PER_MS) : null;
  const parts: { partition: number; head: number; from: number; bytes: number }[] = [];
  for (const { partition, position: head } of heads) {
    const from = oldest === null ? 0 : await lastRecordedBy(store, partition, head, oldest);
    const sample = await store.readPartition(partition, Math.max(from, head - SAMPLE_EVENTS), SAMPLE_EVENTS);
    parts.push({ partition, head, from, bytes: (head - from) * meanBytes(sample) });
  }
  const wanted = parts.reduce((sum, part) => sum + part.bytes, 0);
  const share = wanted > bytes ? bytes / wanted : 1;
  const targets = new Map<number, number>();
  for (const { partition, head, from } of parts) {
    const cut = Math.max(from, head - Math.ceil((head - from) * share));
    targets.set(partition, cut === from ? from : await endOfAppend(store, partition, cut));
  }
  return targets;
};

/** Without what a message has beside its texts. */
const meanBytes = (events: readonly StoredEvent[]): number =>
  events.length === 0 ? 0 : events.reduce((sum, { data, meta }) => sum + data.length + meta.length, 0) / events.length;

/** The last end of an append at or before a position. */
const endOfAppend = async (store: EventStore, partition: number, position: number): Promise<number> => {
  const after = Math.max(0, position - LONGEST_APPEND);
  return (await store.appendEnds(partition, after, position)).at(-1) ?? after;
};
