import { UnknownEventError } from '@bursar/contracts';
import type { StoredEvent } from '@bursar/event-store';
import { describe, expect, test } from '@jest/globals';
import { decodeStored } from './decode.js';

const stored: StoredEvent = {
  partition: 2,
  position: 7,
  stream: 'scope-acme',
  revision: 3,
  id: '00000000-0000-8000-8000-000000000000',
  type: 'ScopeMoved',
  version: 1,
  data: '{"scope":"team:a","parents":["org:b"]}',
  meta: '{"tenant":"acme","actor":"user:x"}',
  contentHash: Buffer.alloc(32),
  recordedAt: '2025-01-15T10:00:00.000001Z',
};

describe('a stored event for a fold', () => {
  test('has its place, its clock, its meta and its data', () => {
    expect(decodeStored(stored)).toEqual({
      partition: 2,
      position: 7,
      stream: 'scope-acme',
      revision: 3,
      id: stored.id,
      type: 'ScopeMoved',
      recordedAt: stored.recordedAt,
      meta: { tenant: 'acme', actor: 'user:x' },
      data: { scope: 'team:a', parents: ['org:b'] },
    });
  });

  test('shares no meta with an event of another', () => {
    expect(decodeStored({ ...stored, meta: '{"tenant":"globex"}' }).meta).toEqual({ tenant: 'globex' });
    expect(decodeStored(stored).meta.tenant).toBe('acme');
  });

  test.each([
    ['type', { type: 'Invented' }],
    ['version', { version: 999 }],
  ])('IN-E2, F46: of an unknown %s halts, it is not skipped', (_, change) => {
    expect(() => decodeStored({ ...stored, ...change })).toThrow(UnknownEventError);
  });
});
