import {
  canonicalJson,
  contentHash,
  derivedId,
  EVENT_DEFINITIONS,
  type EventOf,
  type LedgerEventType,
  partitionOf,
} from '@bursar/contracts';
import type { EventStore } from '@bursar/event-store';

/** An event as somebody else's service appends it. The id: given, or derived from the content. */
export type Told<T extends LedgerEventType = LedgerEventType> = Readonly<{
  type: T;
  stream: string;
  data: EventOf<T>['data'];
  tenant: string;
  id?: string;
  actor?: string;
}>;

export const told = <T extends LedgerEventType>(one: Told<T>): Told => one as unknown as Told;

/** Appends each, in order; answers ids and positions. */
export const tell = async (store: EventStore, events: readonly Told[]): Promise<readonly Readonly<{ id: string; position: number }>[]> => {
  const answers: { id: string; position: number }[] = [];
  for (const { type, stream, data, tenant, id, actor } of events) {
    const text = canonicalJson(data);
    const event = {
      id: id ?? derivedId('test', stream, type, text),
      type,
      version: EVENT_DEFINITIONS.get(type)?.version ?? 1,
      data: text,
      meta: JSON.stringify({ tenant, actor: actor ?? 'user:alice', via: 'http' }),
      contentHash: contentHash(data),
    };
    const partition = partitionOf(tenant, store.partitions);
    const result = await store.append({ partition, stream, events: [event], expectedRevision: 'any' });
    if (!result.ok) throw new Error('not appended');
    answers.push({ id: event.id, position: result.outcomes[0]?.position ?? 0 });
  }
  return answers;
};

/** As {@link tell} for many events of one tenant and stream: 500 an append. */
export const tellAtOnce = async (store: EventStore, events: readonly Told[]): Promise<void> => {
  for (let from = 0; from < events.length; from += 500) {
    const page = events.slice(from, from + 500);
    const [first] = page;
    if (first === undefined) return;
    const toAppend = page.map(({ type, stream, data, tenant }) => ({
      id: derivedId('test', stream, type, canonicalJson(data)),
      type,
      version: EVENT_DEFINITIONS.get(type)?.version ?? 1,
      data: canonicalJson(data),
      meta: JSON.stringify({ tenant, actor: 'budget-projector', via: 'projector' }),
      contentHash: contentHash(data),
    }));
    const partition = partitionOf(first.tenant, store.partitions);
    const result = await store.append({ partition, stream: first.stream, events: toAppend, expectedRevision: 'any' });
    if (!result.ok) throw new Error('not appended');
  }
};
