import { hash, randomUUID } from 'node:crypto';
import type { AppendRequest, AppendResult, EventOutcome, EventStore, EventToAppend, StoredEvent } from '../port.js';

/** An event to append, of random id and content unless told. */
export const event = (content: unknown = randomUUID(), id: string = randomUUID()): EventToAppend => {
  const data = JSON.stringify({ content });
  return { id, type: 'Tested', version: 1, data, meta: '{"tenant":"conformance"}', contentHash: hash('sha256', data, 'buffer') };
};

export const events = (count: number): readonly EventToAppend[] => Array.from({ length: count }, () => event());

/** The same id with another content. */
export const changed = (original: EventToAppend): EventToAppend => event('changed', original.id);

/** Appends without expectation and answers the outcomes. */
export const append = async (
  store: EventStore,
  request: Omit<AppendRequest, 'expectedRevision'> & Partial<AppendRequest>,
): Promise<readonly EventOutcome[]> => outcomesOf(await store.append({ expectedRevision: 'any', ...request }));

export const outcomesOf = (result: AppendResult): readonly EventOutcome[] => {
  if (!result.ok) throw new Error(`expected another outcome than ${result.reason}`);
  return result.outcomes;
};

export const statusesOf = (result: AppendResult): readonly string[] => outcomesOf(result).map((outcome) => outcome.status);

/** All of a partition, page by page. */
export const readAll = async (store: EventStore, partition: number, page = 500): Promise<readonly StoredEvent[]> => {
  const all: StoredEvent[] = [];
  for (;;) {
    const some = await store.readPartition(partition, all.at(-1)?.position ?? 0, page);
    if (some.length === 0) return all;
    all.push(...some);
  }
};

/** 1, 2, 3 … */
export const upTo = (last: number): readonly number[] => Array.from({ length: last }, (_, index) => index + 1);
