import { describe, expect, test } from '@jest/globals';
import type { AppendRequest } from '../port.js';
import { PartitionMemory } from './partition-memory.js';

const on = (...streams: string[]): readonly AppendRequest[] =>
  streams.map((stream) => ({ partition: 0, stream, events: [], expectedRevision: 'any' }));

describe('what a process remembers of a partition', () => {
  test('is nothing at first, then head and revisions of its own appends', () => {
    const memory = new PartitionMemory();
    expect(memory.recall(on('a'))).toBeNull();
    memory.learn(0, 2, new Map([['a', 1]]));
    expect(memory.recall(on('a'))).toEqual({ position: 2, revisions: new Map([['a', 1]]) });
    expect(memory.recall(on('a', 'b'))).toBeNull();
    memory.learn(2, 3, new Map([['b', 0]]));
    expect(memory.recall(on('a', 'b'))?.position).toBe(3);
  });

  test('is not relied on after somebody else moved the head, until the head stays put for a while', () => {
    const memory = new PartitionMemory();
    memory.learn(0, 2, new Map([['a', 1]]));
    memory.learn(5, 6, new Map([['b', 0]]));
    for (let group = 0; group < 7; group += 1) memory.learn(6 + group, 7 + group, new Map());
    expect(memory.recall(on('b'))).toBeNull();
    memory.learn(13, 14, new Map());
    expect(memory.recall(on('b'))).toEqual({ position: 14, revisions: new Map([['b', 0]]) });
    expect(memory.recall(on('a'))).toBeNull();
    memory.sawHeadMoved();
    memory.learn(20, 21, new Map([['b', 5]]));
    expect(memory.recall(on('b'))).toBeNull();
  });

  test('is wary of known ids for a while after it met one', () => {
    const memory = new PartitionMemory();
    expect(memory.expectsKnownIds).toBe(false);
    memory.expectKnownIds();
    for (let group = 0; group < 31; group += 1) memory.sawKnownIds(false);
    expect(memory.expectsKnownIds).toBe(true);
    memory.sawKnownIds(false);
    expect(memory.expectsKnownIds).toBe(false);
    memory.sawKnownIds(true);
    expect(memory.expectsKnownIds).toBe(true);
  });
});
