import { EVENT_DEFINITIONS, type EventMeta, type LedgerEvent, UnknownEventError, upcast } from '@bursar/contracts';
import type { StoredEvent } from '@bursar/event-store';

/**
 * A stored event as folds see it: data parsed and brought up to its newest version.
 * Throws `UnknownEventError` for a type or version of a newer release: the partition must halt, not skip (RELIABILITY F46).
 */
export const decodeStored = (event: Omit<StoredEvent, 'contentHash'>): LedgerEvent =>
  ({
    partition: event.partition,
    position: event.position,
    stream: event.stream,
    revision: event.revision,
    id: event.id,
    type: event.type,
    recordedAt: event.recordedAt,
    meta: parseMeta(event.meta),
    data: upcast(event.type, event.version, JSON.parse(event.data)),
  }) as LedgerEvent;

/** Those of the wanted types. Most of a ledger is of no use to most consumers: the rest is not decoded, but nothing of a newer release is passed over. */
export const decodeWanted = (events: readonly StoredEvent[], wants: (type: string) => boolean): readonly LedgerEvent[] =>
  events.flatMap((event) => {
    if (wants(event.type)) return [decodeStored(event)];
    const known = EVENT_DEFINITIONS.get(event.type);
    if (known === undefined || event.version > known.version) throw new UnknownEventError(event.type, event.version);
    return [];
  });

let last: Readonly<{ text: string; meta: EventMeta }> = { text: '', meta: { tenant: '' } };

/** Events of one request carry the same meta, text for text: parsed once, and frozen because it is shared. */
const parseMeta = (text: string): EventMeta => {
  if (text !== last.text) last = { text, meta: Object.freeze(JSON.parse(text) as EventMeta) };
  return last.meta;
};
