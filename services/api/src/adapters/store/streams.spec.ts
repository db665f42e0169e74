import { scopeStream } from '@bursar/contracts';
import type { EventStore, StoredEvent } from '@bursar/event-store';
import { expect, test } from '@jest/globals';
import { type Aggregate, Streams } from './streams.js';

const TENANT = 'acme';
const SCOPES: Aggregate<readonly string[]> = {
  initial: () => [],
  evolve: (known, event) => (event.type === 'ScopeRegistered' ? [...known, event.data.scope] : known),
  live: false,
};

const registered = (revision: number): StoredEvent => ({
  partition: 0,
  position: revision + 1,
  stream: scopeStream(TENANT),
  revision,
  id: '00000000-0000-4000-8000-000000000000',
  type: 'ScopeRegistered',
  version: 1,
  data: JSON.stringify({ scope: `team:${revision}`, parents: [] }),
  meta: JSON.stringify({ tenant: TENANT }),
  contentHash: new Uint8Array(),
  recordedAt: '2026-01-01T00:00:00.000Z',
});

test('a stream is folded to its end, though the store ends a page of large events early', async () => {
  const all = [0, 1, 2, 3, 4].map(registered);
  const readStream: EventStore['readStream'] = async (_stream, from, limit) => all.slice(from, from + Math.min(limit, 2));
  const streams = new Streams({ readStream } as Partial<EventStore> as EventStore);
  const { state, revision } = await streams.load(scopeStream(TENANT), TENANT, SCOPES);
  expect([state.length, revision]).toEqual([5, 4]);
});
