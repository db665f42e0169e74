import type { ScopeRef } from '@bursar/contracts';

/** What is known of the tree: registered scopes with their parents, and scopes that only budgets or spend speak of. */
export type ScopeGraph = Readonly<{
  root: ScopeRef;
  registered: ReadonlyMap<ScopeRef, readonly ScopeRef[]>;
  mentioned: Iterable<ScopeRef>;
  /** Not all that belongs to these is known here. */
  cut?: ReadonlySet<ScopeRef>;
}>;

export type TreeNode = Readonly<{
  scope: ScopeRef;
  children: readonly TreeNode[] /** Set where the tree was cut off. */;
  truncated?: true;
}>;

/** A scope stands under each of its parents, so a dense registry has far more places than scopes: past so many the tree is cut. */
export const MAX_NODES = 20_000;

/** The tree from a scope down; from the root, everything without a parent stands directly under it. Siblings in code-point order. */
export const treeFrom = (top: ScopeRef, graph: ScopeGraph): TreeNode => {
  const children = childrenOf(graph);
  let left = MAX_NODES;
  const grow = (scope: ScopeRef, above: ReadonlySet<ScopeRef>): TreeNode => {
    left -= 1;
    const path = new Set(above).add(scope);
    const below: TreeNode[] = [];
    for (const child of children.get(scope) ?? []) {
      if (left <= 0) return { scope, children: below, truncated: true };
      // No cycle is ever stored; a tree that met one all the same would have no end.
      if (!path.has(child)) below.push(grow(child, path));
    }
    return { scope, children: below, ...(graph.cut?.has(scope) === true && { truncated: true as const }) };
  };
  return grow(top, new Set());
};

const childrenOf = ({ root, registered, mentioned }: ScopeGraph): ReadonlyMap<ScopeRef, readonly ScopeRef[]> => {
  const children = new Map<ScopeRef, Set<ScopeRef>>();
  const put = (parent: ScopeRef, child: ScopeRef): void => {
    const known = children.get(parent);
    if (known === undefined) children.set(parent, new Set([child]));
    else known.add(child);
  };
  const parentless = (scope: ScopeRef): boolean => scope !== root && (registered.get(scope) ?? []).length === 0;
  for (const [scope, parents] of registered) {
    if (parents.length === 0) put(root, scope);
    for (const parent of parents) {
      put(parent, scope);
      if (parentless(parent)) put(root, parent);
    }
  }
  for (const scope of mentioned) if (parentless(scope)) put(root, scope);
  return new Map([...children].map(([scope, below]) => [scope, [...below].sort(byCodePoint)]));
};

const byCodePoint = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
