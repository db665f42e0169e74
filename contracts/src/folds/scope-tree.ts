import type { EventOf } from '../events/registry.js';
import type { ScopeRef } from '../values/scope.js';
import { History } from './history.js';

export type ScopeEvent = EventOf<'ScopeRegistered' | 'ScopeMoved' | 'ScopeDescribed' | 'ScopeRemoved'>;

/** A scope of the registry as it is at some position. One that nobody registered, or that was removed, has no parents. */
export type ScopeState = Readonly<{
  scope: ScopeRef;
  registered: boolean;
  parents: readonly ScopeRef[];
  name: string | null;
  attributes: Readonly<Record<string, string>>;
}>;

/** Paths kept for reuse; past it they are forgotten and found anew, so a tenant with endless users costs no memory. */
const MAX_PATHS = 20_000;
const NO_PARENTS: readonly ScopeRef[] = [];

/** The scopes of one tenant under their implicit root, by position. */
export class ScopeTree {
  readonly #scopes = new Map<ScopeRef, History<ScopeEvent, ScopeState>>();
  readonly #paths = new Map<string, readonly ScopeRef[]>();
  /** From this position on the tree is as it is now: paths asked for at or after it are remembered. */
  #settledAt = 0;

  constructor(readonly root: ScopeRef) {}

  apply(event: ScopeEvent): void {
    const { scope } = event.data;
    let history = this.#scopes.get(scope);
    if (history === undefined) {
      history = new History<ScopeEvent, ScopeState>(unregistered(scope), evolveScope);
      this.#scopes.set(scope, history);
    }
    if (!history.insert(event.position, event) || event.type === 'ScopeDescribed') return;
    this.#settledAt = Math.max(this.#settledAt, event.position);
    this.#paths.clear();
  }

  at(scope: ScopeRef, position: number): ScopeState {
    return this.#scopes.get(scope)?.at(position) ?? unregistered(scope);
  }

  parentsAt(scope: ScopeRef, position: number): readonly ScopeRef[] {
    return this.#scopes.get(scope)?.at(position).parents ?? NO_PARENTS;
  }

  /** Registered scopes, in the order they first came in. */
  list(position: number): readonly ScopeState[] {
    return [...this.#scopes.values()].map((history) => history.at(position)).filter((state) => state.registered);
  }

  /** The scopes themselves, every ancestor once, the root last; the same array again while the tree stays as it is. */
  path(scopes: readonly ScopeRef[], position: number): readonly ScopeRef[] {
    if (position < this.#settledAt) return this.#climb(scopes, position);
    // NUL cannot be in a scope, so the joined text names exactly these.
    const key = scopes.length === 1 ? (scopes[0] ?? '') : scopes.join('\u0000');
    const known = this.#paths.get(key);
    if (known !== undefined) return known;
    const path = this.#climb(scopes, position);
    if (this.#paths.size >= MAX_PATHS) this.#paths.clear();
    this.#paths.set(key, path);
    return path;
  }

  /** Breadth first. Each scope is visited once: paths that meet charge once, and a cycle in the data ends. */
  #climb(scopes: readonly ScopeRef[], position: number): readonly ScopeRef[] {
    const visited = new Set<ScopeRef>(scopes);
    // A Set walks in insertion order and takes what is added on the way: it is its own queue.
    for (const scope of visited) {
      if (scope === this.root) continue;
      for (const parent of this.parentsAt(scope, position)) visited.add(parent);
    }
    visited.delete(this.root);
    visited.add(this.root);
    return Object.freeze([...visited]);
  }

  /** Would `scope` become its own ancestor with these parents? The root has no parents at all. */
  wouldCycle(scope: ScopeRef, parents: readonly ScopeRef[]): boolean {
    if (scope === this.root) return parents.length > 0;
    return this.#climb(parents, Number.POSITIVE_INFINITY).includes(scope);
  }
}

const unregistered = (scope: ScopeRef): ScopeState => ({ scope, registered: false, parents: NO_PARENTS, name: null, attributes: {} });

const evolveScope = (state: ScopeState, event: ScopeEvent): ScopeState => {
  switch (event.type) {
    case 'ScopeRegistered': {
      const { scope, parents, name = null, attributes = {} } = event.data;
      return { scope, registered: true, parents, name, attributes };
    }
    case 'ScopeMoved':
      return { ...state, parents: event.data.parents };
    case 'ScopeDescribed': {
      const { name = state.name, attributes = state.attributes } = event.data;
      return { ...state, name, attributes };
    }
    case 'ScopeRemoved':
      return unregistered(state.scope);
  }
};
