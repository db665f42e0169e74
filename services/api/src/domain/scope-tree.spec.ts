import { type LedgerEvent, rootScope } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Rejection } from './rejection.js';
import { decideScope, evolveScopes, type ScopeCommand, ScopeRegistry } from './scope-registry.js';
import { MAX_DEPTH } from './scope-tree.js';

const scope = fc.constantFrom(...Array.from({ length: 14 }, (_, index) => `team:${index}`));
const parents = fc.array(fc.oneof({ weight: 9, arbitrary: scope }, { weight: 1, arbitrary: fc.constant('tenant:acme') }), { maxLength: 3 });
const command: fc.Arbitrary<ScopeCommand> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('RegisterScope' as const), scope, parents }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('ChangeScope' as const), scope, parents }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('RemoveScope' as const), scope }) },
);

/** A chain first, so that depth is met often, then anything. */
const commands = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.array(command, { maxLength: 60 })).map(([length, more]) => [
  ...Array.from(
    { length },
    (_, index): ScopeCommand => ({
      type: 'RegisterScope',
      scope: `team:${index}`,
      parents: index === 0 ? [] : [`team:${index - 1}`],
    }),
  ),
  ...more,
]);

/** Runs the commands as the api does; refused ones change nothing. Answers the history. */
const run = (asked: readonly ScopeCommand[], registry: ScopeRegistry): LedgerEvent[] => {
  const history: LedgerEvent[] = [];
  for (const one of asked) {
    try {
      for (const event of decideScope(one, registry)) {
        const position = history.length + 1;
        const recorded = { ...event, position, revision: position - 1, meta: { tenant: 'acme' } } as LedgerEvent;
        history.push(recorded);
        evolveScopes(registry, recorded);
      }
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
    }
  }
  return history;
};

/** Longest way up, by brute force; throws for a cycle. */
const depthOf = (registry: ScopeRegistry, start: string, below: readonly string[] = []): number => {
  if (below.includes(start)) throw new Error(`${[...below, start].join(' > ')} is a cycle`);
  const above = registry.entries.get(start)?.parents ?? [];
  return 1 + Math.max(0, ...above.map((parent) => depthOf(registry, parent, [...below, start])));
};

describe('whatever is asked, in whatever order', () => {
  test('no scope is ever above itself, nothing is deeper than allowed, and the root is nobody’s stored parent', () => {
    fc.assert(
      fc.property(commands, (asked) => {
        const registry = new ScopeRegistry('acme');
        run(asked, registry);
        for (const [name, entry] of registry.entries) {
          expect(depthOf(registry, name)).toBeLessThanOrEqual(MAX_DEPTH);
          expect(entry.parents).not.toContain(rootScope('acme'));
          expect(new Set(entry.parents).size).toBe(entry.parents.length);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('the children are the parents read backwards, and a replay gives the same registry', () => {
    fc.assert(
      fc.property(commands, (asked) => {
        const live = new ScopeRegistry('acme');
        const replayed = new ScopeRegistry('acme');
        for (const event of run(asked, live)) evolveScopes(replayed, event);
        expect(replayed).toEqual(live);
        const backwards = [...live.entries.values()].flatMap((entry) => entry.parents.map((parent) => `${parent} > ${entry.scope}`));
        const children = [...live.children].flatMap(([parent, below]) => [...below].map((child) => `${parent} > ${child}`));
        expect(children.sort()).toEqual(backwards.sort());
      }),
      { numRuns: 200 },
    );
  });
});
