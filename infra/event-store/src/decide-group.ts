import type { AppendRequest, AppendResult, EventOutcome, EventToAppend } from './port.js';

/** One event that will be stored, and where. */
export type NewRow = EventToAppend & Readonly<{ stream: string; position: number; revision: number }>;

export type KnownId = Readonly<{ position: number; revision: number; contentHash: Uint8Array }>;

/** What the partition looks like under its head's lock. */
export type PartitionView = Readonly<{
  position: number;
  /** The last revision of every stream of the group; -1 where there is none. */
  revisions: ReadonlyMap<string, number>;
  /** Those of the group's ids that are stored. Empty when they are taken to be new, which a unique index then proves or refutes. */
  known: ReadonlyMap<string, KnownId>;
}>;

export type GroupDecision = Readonly<{
  rows: readonly NewRow[];
  /** One per request, in order. */
  results: readonly AppendResult[];
  /** The last revisions after it. */
  revisions: ReadonlyMap<string, number>;
  /** Some request with unseen ids stores nothing: final only when its ids were really looked up. */
  refused: boolean;
}>;

/**
 * Decides the requests of one group commit in order, each as if alone: ids first, so that a retry is a duplicate whatever the
 * revision has become; then the expectation. Ids of earlier requests of the group count as stored.
 */
export const decideGroup = (requests: readonly AppendRequest[], view: PartitionView): GroupDecision => {
  const rows: NewRow[] = [];
  const taken = new Map(view.known);
  const revisions = new Map(view.revisions);
  const results: AppendResult[] = [];
  let refused = false;
  for (const request of requests) {
    const unit = decideUnit(request, view.position + rows.length, revisions.get(request.stream) ?? -1, taken);
    refused ||= unit.refused;
    rows.push(...unit.rows);
    results.push(unit.result);
    if (unit.rows.length > 0 && unit.result.ok) revisions.set(request.stream, unit.result.revision);
  }
  return { rows, results, revisions, refused };
};

type UnitDecision = Readonly<{ rows: readonly NewRow[]; result: AppendResult; refused: boolean }>;

const decideUnit = (request: AppendRequest, head: number, revision: number, taken: Map<string, KnownId>): UnitDecision => {
  const { stream, events, expectedRevision } = request;
  const rows: NewRow[] = [];
  const outcomes: EventOutcome[] = [];
  let clash: number | undefined;
  for (const event of events) {
    const known = taken.get(event.id);
    if (known === undefined) {
      const place = { position: head + rows.length + 1, revision: revision + rows.length + 1 };
      const { id, type, version, data, meta, contentHash } = event;
      rows.push({ id, type, version, data, meta, contentHash, stream, ...place });
      taken.set(id, { ...place, contentHash });
      outcomes.push({ status: 'accepted', ...place });
    } else if (sameHash(known.contentHash, event.contentHash)) {
      outcomes.push({ status: 'duplicate', position: known.position, revision: known.revision });
    } else {
      // A clash inside this very request has no stored position yet, and with an expectation never gets one.
      clash ??= known.position > head ? 0 : known.position;
      outcomes.push({ status: 'conflict', position: known.position });
    }
  }
  const guarded = expectedRevision !== 'any';
  const forget = () => {
    for (const row of rows) taken.delete(row.id);
  };
  if (guarded && clash !== undefined) {
    forget();
    const place = clash;
    const unstored = outcomes.map((o): EventOutcome => (o.position > head ? { status: 'conflict', position: place } : o));
    return { rows: [], result: { ok: true, outcomes: unstored, head, revision }, refused: rows.length > 0 };
  }
  const expected = expectedRevision === 'none' ? -1 : expectedRevision;
  if (guarded && expected !== revision && (rows.length > 0 || events.length === 0)) {
    forget();
    return { rows: [], result: { ok: false, reason: 'wrong_expected_revision', revision }, refused: rows.length > 0 };
  }
  return { rows, result: { ok: true, outcomes, head: head + rows.length, revision: revision + rows.length }, refused: false };
};

const sameHash = (a: Uint8Array, b: Uint8Array): boolean => a === b || Buffer.compare(a, b) === 0;
