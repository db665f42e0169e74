import { describe, expect, test } from '@jest/globals';
import { changed, event, events } from './conformance/events.js';
import { decideGroup, type KnownId } from './decide-group.js';
import type { AppendRequest, EventToAppend } from './port.js';

const request = (
  own: readonly EventToAppend[],
  expectedRevision: AppendRequest['expectedRevision'] = 'any',
  stream = 's',
): AppendRequest => ({
  partition: 0,
  stream,
  events: own,
  expectedRevision,
});
const view = (position: number, revision: number, known: readonly (readonly [EventToAppend, number])[] = []) => ({
  position,
  revisions: new Map([['s', revision]]),
  known: new Map<string, KnownId>(known.map(([e, at]) => [e.id, { position: at, revision: at - 1, contentHash: e.contentHash }])),
});

describe('deciding a group', () => {
  test('rows go on from the head and from each stream’s revision', () => {
    const decision = decideGroup([request(events(2)), request(events(1), 'none', 't'), request(events(1), 11)], view(40, 9));
    expect(decision.rows.map((row) => [row.stream, row.position, row.revision])).toEqual([
      ['s', 41, 10],
      ['s', 42, 11],
      ['t', 43, 0],
      ['s', 44, 12],
    ]);
    expect([...decision.revisions]).toEqual([
      ['s', 12],
      ['t', 0],
    ]);
    expect(decision.refused).toBe(false);
  });

  test('a refused request leaves no trace for those after it', () => {
    const contested = event();
    const decision = decideGroup([request([contested], 5), request([contested], 'any'), request([contested], 'any')], view(1, 0));
    expect(decision.results).toMatchObject([
      { ok: false, revision: 0 },
      { ok: true, outcomes: [{ status: 'accepted', position: 2 }] },
      { ok: true, outcomes: [{ status: 'duplicate', position: 2 }] },
    ]);
    expect(decision.rows).toHaveLength(1);
  });

  test('says when something new was refused, because its ids must then have been looked up', () => {
    const old = event();
    expect(decideGroup([request(events(1), 7)], view(1, 0)).refused).toBe(true);
    expect(decideGroup([request([old], 7)], view(1, 0, [[old, 1]])).refused).toBe(false);
    expect(decideGroup([request([changed(old), event()], 0)], view(1, 0, [[old, 1]])).refused).toBe(true);
    expect(decideGroup([request([changed(old), event()])], view(1, 0, [[old, 1]])).refused).toBe(false);
  });

  test('two events of one guarded unit that clash with each other are told so, at no position', () => {
    const a = event();
    const decision = decideGroup([request([a, changed(a)], 0)], view(1, 0));
    expect(decision.rows).toEqual([]);
    expect(decision.results).toMatchObject([
      {
        outcomes: [
          { status: 'conflict', position: 0 },
          { status: 'conflict', position: 0 },
        ],
      },
    ]);
  });
});
