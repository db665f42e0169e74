import type { PoolClient } from 'pg';
import { decideGroup, type GroupDecision, type KnownId, type NewRow } from '../decide-group.js';
import type { AppendRequest, AppendResult } from '../port.js';
import { copyMessages, digestOf } from './copy-messages.js';
import { failureOf } from './failures.js';
import type { PartitionMemory } from './partition-memory.js';
import { type RawRow, runPipeline, type Step } from './pipeline.js';
import { ADVANCE, APPEND_ONE, BEGIN, COMMIT, COPY_EVENTS, KNOWN_IDS, LOCK_HEAD, REVISIONS } from './statements.js';
import { bytea, textArray, uuidArray } from './values.js';

/** What one append transaction committed. `rows` is empty when every event was known or refused. */
export type Committed = Readonly<{
  results: readonly AppendResult[];
  rows: readonly NewRow[];
  recordedMicros: number;
  link: Uint8Array;
}>;

type Context = Readonly<{ client: PoolClient; partition: number; memory: PartitionMemory; timeoutMs: number }>;

/**
 * Stores one group in one transaction. Two ways, equal in effect:
 *
 * 1. *Straight*, one round trip: this process knows the head and the streams' revisions from its own last append. It decides on those
 *    and sends lock, rows and head update together, one transaction that fails unless the head is still there; a single event is one statement, which costs
 *    two thirds. All ids are taken to be new; the unique index, under the head's lock, is the look-up.
 * 2. *Locked*, two or three: lock the head, read revisions, decide, write. Ids are looked up first when some were met lately, or when
 *    the decision refuses anything: a retry must be found before its expected revision is compared.
 */
export const appendGroup = async (context: Context, requests: readonly AppendRequest[]): Promise<Committed> => {
  const { memory } = context;
  if (!memory.expectsKnownIds) {
    const committed = (await straight(context, requests)) ?? (await locked(context, requests, false));
    if (committed !== null) return committed;
  }
  const committed = await locked(context, requests, true);
  if (committed === null) throw new Error('ids were looked up and yet found taken');
  return committed;
};

/** Null when it cannot be done this way; nothing is stored then. */
const straight = async (context: Context, requests: readonly AppendRequest[]): Promise<Committed | null> => {
  const { client, memory, timeoutMs } = context;
  const view = memory.recall(requests);
  if (view === null) return null;
  const decision = decideGroup(requests, { ...view, known: new Map() });
  if (decision.refused || decision.rows.length === 0) return null;
  try {
    const [only, ...more] = decision.rows;
    const steps =
      only !== undefined && more.length === 0
        ? [oneStep(context, view.position, only)]
        : [lockStep(context.partition), ...writeSteps(context, view.position, decision.rows)];
    const [moved] = (await runPipeline(client, steps, timeoutMs)).at(-1) ?? [];
    return remember(context, view.position, decision, moved);
  } catch (error) {
    const failure = failureOf(error);
    if (failure === 'taken') memory.expectKnownIds();
    else if (failure === 'head_moved') memory.sawHeadMoved();
    else throw error;
    return null;
  }
};

/** Null when `lookUp` is false and some id turned out to be known. */
const locked = async (context: Context, requests: readonly AppendRequest[], lookUp: boolean): Promise<Committed | null> => {
  const { client, partition, memory, timeoutMs } = context;
  const streams = [...new Set(requests.map((request) => request.stream))];
  try {
    const [, head = [], revisionRows = [], idRows = []] = await runPipeline(
      client,
      [
        { statement: BEGIN },
        lockStep(partition),
        { statement: REVISIONS, values: () => [textArray(streams)] },
        ...(lookUp ? [idsStep(partition, requests)] : []),
      ],
      timeoutMs,
    );
    const position = Number(head[0]?.[0]);
    const revisions = new Map(streams.map((stream, index) => [stream, Number(revisionRows[index]?.[0])]));
    let known = knownIds(idRows);
    let decision = decideGroup(requests, { position, revisions, known });
    if (decision.refused && !lookUp) {
      const [rows = []] = await runPipeline(client, [idsStep(partition, requests)], timeoutMs);
      known = knownIds(rows);
      decision = decideGroup(requests, { position, revisions, known });
    }
    memory.sawKnownIds(known.size > 0);
    const write = decision.rows.length > 0 ? writeSteps(context, position, decision.rows) : [];
    const [, [moved] = []] = await runPipeline(client, [...write, { statement: COMMIT }], timeoutMs);
    return remember(context, position, decision, moved);
  } catch (error) {
    // Whoever gets the error closes the connection, which rolls back.
    if (lookUp || failureOf(error) !== 'taken') throw error;
    await client.query('ROLLBACK');
    memory.expectKnownIds();
    return null;
  }
};

const writeSteps = ({ partition }: Context, head: number, rows: readonly NewRow[]): readonly Step[] => {
  const { chunks, digest } = copyMessages(partition, rows);
  return [
    { statement: COPY_EVENTS, raw: chunks },
    { statement: ADVANCE, values: () => [String(partition), String(head), String(rows.length), digest()] },
  ];
};

const oneStep = ({ partition }: Context, head: number, row: NewRow): Step => ({
  statement: APPEND_ONE,
  values: () => [
    String(partition),
    String(head),
    digestOf(partition, row),
    row.id,
    row.stream,
    String(row.revision),
    row.type,
    String(row.version),
    Buffer.from(row.contentHash.buffer, row.contentHash.byteOffset, row.contentHash.length),
    row.data,
    row.meta,
  ],
});

const lockStep = (partition: number): Step => ({ statement: LOCK_HEAD, values: () => [String(partition)] });

const remember = ({ memory }: Context, head: number, decision: GroupDecision, moved: RawRow | undefined): Committed => {
  const { rows, results, revisions } = decision;
  memory.learn(head, head + rows.length, revisions);
  return { results, rows, recordedMicros: Number(moved?.[0] ?? 0), link: bytea(moved?.[1]) };
};

const idsStep = (partition: number, requests: readonly AppendRequest[]): Step => ({
  statement: KNOWN_IDS,
  values: () => [String(partition), uuidArray(requests.flatMap((request) => request.events.map((event) => event.id)))],
});

const knownIds = (rows: readonly RawRow[]): ReadonlyMap<string, KnownId> =>
  new Map(
    rows.map(([id, position, revision, contentHash]) => [
      String(id),
      { position: Number(position), revision: Number(revision), contentHash: bytea(contentHash) },
    ]),
  );
