import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { LedgerEvent } from '../events/registry.js';
import { chargedPath, findScope, listScopes, parentsAt, wouldCycle } from './definitions.js';
import { given, moved, recorded, registered } from './given.js';

const NOW = Number.POSITIVE_INFINITY;
const tree = [registered(1, 'user:alice', 'team:ml', 'project:x'), registered(2, 'team:ml', 'org:a'), registered(3, 'project:x', 'org:a')];

describe('charged path', () => {
  test('a scope nobody registered has only the root above it', () => {
    expect(chargedPath(given(), ['user:bob'], NOW)).toEqual(['user:bob', 'tenant:acme']);
  });

  test('an ancestor where two paths meet is charged once', () => {
    expect(chargedPath(given(...tree), ['user:alice'], NOW)).toEqual(['user:alice', 'team:ml', 'project:x', 'org:a', 'tenant:acme']);
  });

  test('a scope named beside its own ancestor charges each once', () => {
    expect(chargedPath(given(...tree), ['org:a', 'user:alice', 'tenant:acme'], NOW)).toEqual([
      'org:a',
      'user:alice',
      'team:ml',
      'project:x',
      'tenant:acme',
    ]);
  });

  test('a move binds from its own position on, and what came before keeps the old path', () => {
    const definitions = given(...tree, moved(10, 'team:ml', 'org:b'));
    expect(chargedPath(definitions, ['team:ml'], 9)).toEqual(['team:ml', 'org:a', 'tenant:acme']);
    expect(chargedPath(definitions, ['team:ml'], 10)).toEqual(['team:ml', 'org:b', 'tenant:acme']);
  });

  test('a path found before a move is not answered after it', () => {
    const definitions = given(...tree);
    const before = chargedPath(definitions, ['team:ml'], 5);
    definitions.scopes.apply(moved(10, 'team:ml', 'org:b'));
    expect(chargedPath(definitions, ['team:ml'], 10)).toContain('org:b');
    expect(chargedPath(definitions, ['team:ml'], 9)).toEqual(before);
  });

  test('a removed scope has no parents from then on; its children still pay to it', () => {
    const definitions = given(...tree, recorded('ScopeRemoved', 7, { scope: 'team:ml' }));
    expect(chargedPath(definitions, ['team:ml'], 7)).toEqual(['team:ml', 'tenant:acme']);
    expect(chargedPath(definitions, ['user:alice'], 7)).toContain('team:ml');
    expect(findScope(definitions, 'team:ml')).toBeNull();
  });

  test('recorded data that contains a cycle still has an end', () => {
    const definitions = given(registered(1, 'team:a', 'team:b'), registered(2, 'team:b', 'team:a', 'tenant:acme'));
    expect(chargedPath(definitions, ['team:a'], NOW)).toEqual(['team:a', 'team:b', 'tenant:acme']);
  });
});

describe('the api asks before it registers or moves', () => {
  test.each([
    ['itself', 'org:a', ['org:a'], true],
    ['a descendant', 'org:a', ['user:alice'], true],
    ['a stranger', 'org:a', ['org:b'], false],
    ['anything above the root', 'tenant:acme', ['org:a'], true],
    ['nothing at all', 'tenant:acme', [], false],
    ['the root itself', 'org:a', ['tenant:acme'], false],
  ])('would %s as parent close a cycle', (_, scope, parents, expected) => {
    expect(wouldCycle(given(...tree), scope, parents)).toBe(expected);
  });

  test('a description changes name and attributes and no edge', () => {
    const described = recorded('ScopeDescribed', 5, { scope: 'team:ml', name: 'Machine learning' });
    const definitions = given(...tree, described, recorded('ScopeDescribed', 6, { scope: 'team:ml', attributes: { cc: '7' } }));
    expect(findScope(definitions, 'team:ml')).toMatchObject({ name: 'Machine learning', attributes: { cc: '7' }, parents: ['org:a'] });
    expect(listScopes(definitions).map(({ scope }) => scope)).toEqual(['user:alice', 'team:ml', 'project:x']);
  });
});

/** Random histories over eight scopes: any edge, cycles included, at positions 1, 2, 3 … */
const scopes = ['a:0', 'a:1', 'a:2', 'a:3', 'a:4', 'a:5', 'a:6', 'a:7'];
const edges = fc.array(fc.tuple(fc.constantFrom(...scopes), fc.uniqueArray(fc.constantFrom(...scopes), { maxLength: 3 })), {
  maxLength: 20,
});
const toEvents = (moves: readonly (readonly [string, string[]])[]): LedgerEvent[] =>
  moves.map(([scope, parents], index) => moved(index + 1, scope, ...parents));

describe('any tree', () => {
  test('the path at any position is the closure of the edges of that position', () => {
    fc.assert(
      fc.property(
        edges,
        fc.uniqueArray(fc.constantFrom(...scopes), { minLength: 1, maxLength: 4 }),
        fc.nat(20),
        (moves, from, position) => {
          const definitions = given(...toEvents(moves));
          const path = chargedPath(definitions, from, position);
          expect(new Set(path)).toEqual(new Set([...closure(moves.slice(0, position), from), 'tenant:acme']));
          expect(new Set(path).size).toBe(path.length);
          expect(path.at(-1)).toBe('tenant:acme');
          expect(chargedPath(definitions, from, position)).toEqual(path);
        },
      ),
    );
  });

  test('the same events in another order, some of them twice, make the same history', () => {
    fc.assert(
      fc.property(edges, fc.infiniteStream(fc.nat()), (moves, random) => {
        const events = toEvents(moves);
        const shuffled = [...events, ...events.slice(0, 3)].map((event) => [random.next().value, event] as const);
        const other = given(...shuffled.sort(([a], [b]) => a - b).map(([, event]) => event));
        for (const position of [1, 5, NOW]) {
          for (const scope of scopes) expect(parentsAt(other, scope, position)).toEqual(parentsAt(given(...events), scope, position));
        }
      }),
    );
  });
});

/** Reachability by repeating until nothing is added: slow, and obviously right. */
const closure = (moves: readonly (readonly [string, string[]])[], from: readonly string[]): Set<string> => {
  const parents = new Map(moves);
  const reached = new Set(from);
  for (let size = -1; size !== reached.size; ) {
    size = reached.size;
    for (const scope of reached) for (const parent of parents.get(scope) ?? []) reached.add(parent);
  }
  return reached;
};
