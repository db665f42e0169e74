import { rootScope, type ScopeRef, scopeType } from '@bursar/contracts';
import { Rejection } from './rejection.js';

/** Scopes on the longest chain from a topmost one down, the implicit root not counted (RELIABILITY IN-G4). */
export const MAX_DEPTH = 8;
/** Direct children of one scope (RELIABILITY IN-G4). */
export const MAX_CHILDREN = 10_000;

/** What the rules of the tree look at: a scope registry is one. */
export type ScopeTree = Readonly<{
  tenant: string;
  entries: ReadonlyMap<ScopeRef, Readonly<{ parents: readonly ScopeRef[] }>>;
  children: ReadonlyMap<ScopeRef, ReadonlySet<ScopeRef>>;
}>;

/**
 * The parents as they will be stored: once each, without the implicit root. Throws {@link Rejection}: `scope_cycle`, `too_many`
 * (depth, children), `not_found` for the root of another tenant.
 */
export const acceptParents = (registry: ScopeTree, scope: ScopeRef, given: readonly ScopeRef[]): ScopeRef[] => {
  const root = rootScope(registry.tenant);
  const parents = [...new Set(given)].filter((parent) => parent !== root);
  parents.forEach((parent, index) => {
    if (scopeType(parent) === 'tenant') throw new Rejection('not_found', `There is no scope ${parent} here.`, `/parents/${index}`);
  });
  const below = descendants(registry, scope);
  for (const parent of parents) {
    if (parent === scope || below.has(parent)) {
      throw new Rejection(
        'scope_cycle',
        `${parent} is ${parent === scope ? 'the scope itself' : `below ${scope}`}; it cannot be above it too.`,
      );
    }
  }
  const depth = height(registry, scope, 'down') + Math.max(0, ...parents.map((parent) => height(registry, parent, 'up')));
  if (depth > MAX_DEPTH)
    throw new Rejection('too_many', `The tree would be ${depth} scopes deep, at most ${MAX_DEPTH} are allowed.`, '/parents');
  for (const parent of parents) {
    const siblings = registry.children.get(parent);
    if (siblings !== undefined && siblings.size >= MAX_CHILDREN && !siblings.has(scope)) {
      throw new Rejection('too_many', `${parent} has ${MAX_CHILDREN} children, which is the most a scope may have.`, '/parents');
    }
  }
  return parents;
};

const descendants = (registry: ScopeTree, scope: ScopeRef): ReadonlySet<ScopeRef> => {
  const seen = new Set<ScopeRef>();
  const open = [scope];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const child of registry.children.get(next) ?? []) {
      if (seen.has(child)) continue;
      seen.add(child);
      open.push(child);
    }
  }
  return seen;
};

/** Scopes on the longest chain that starts here, itself counted. No cycle is ever stored, so it ends; each scope is visited once. */
const height = (registry: ScopeTree, scope: ScopeRef, way: 'up' | 'down', known = new Map<ScopeRef, number>()): number => {
  const found = known.get(scope);
  if (found !== undefined) return found;
  let longest = 0;
  const next = way === 'up' ? registry.entries.get(scope)?.parents : registry.children.get(scope);
  for (const other of next ?? []) longest = Math.max(longest, height(registry, other, way, known));
  known.set(scope, longest + 1);
  return longest + 1;
};
