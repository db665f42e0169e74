import type { ScopeRef, UsageRecordedEvent } from '@bursar/contracts';
import { type Charge, parentsAt, shareOf, type TenantDefinitions } from '@bursar/contracts/folds';

/** What one scope comes to, by currency ('' while there is no price), in picos: what named it, and what came by its children. */
export type TreeSum = { direct: Map<string, bigint>; children: Map<string, bigint> };
export type Unreached = Readonly<{ scope: ScopeRef; position: number }>;

/**
 * Adds usage up along the tree once more, another way than the rollups do: every scope gets an event once, from the event itself when
 * that names it, else from one child of it that has it. Children + direct = parent, with nothing counted twice where branches meet.
 */
export class TreeSums {
  readonly #sums = new Map<ScopeRef, TreeSum>();
  /** Scopes that were charged though neither the event nor a child of theirs in it leads there. */
  readonly unreached: Unreached[] = [];

  constructor(private readonly definitions: TenantDefinitions) {}

  /** What was not voided. */
  add(usage: UsageRecordedEvent, charged: Charge): void {
    const { position, data } = usage;
    const named = new Set([...data.scopes, ...(data.allocation ?? []).map(({ scope }) => scope)]);
    const currency = charged.cost?.currency ?? '';
    for (const scope of charged.path) {
      const picos = charged.cost === null ? 0n : shareOf(charged.split, [scope], charged.cost.picos);
      const sum = this.#of(scope);
      if (named.has(scope)) gain(sum.direct, currency, picos);
      else if (charged.path.some((child) => this.#isChild(child, scope, position))) gain(sum.children, currency, picos);
      else this.unreached.push({ scope, position });
    }
    // And nobody on the way up was left out.
    for (const scope of charged.path) {
      for (const parent of parentsAt(this.definitions, scope, position)) {
        if (!charged.path.includes(parent)) this.unreached.push({ scope: parent, position });
      }
    }
  }

  /** By currency, in picos. */
  total(scope: ScopeRef): ReadonlyMap<string, bigint> {
    const { direct, children } = this.#sums.get(scope) ?? NOTHING;
    const total = new Map(direct);
    for (const [currency, picos] of children) gain(total, currency, picos);
    return total;
  }

  scopes(): readonly ScopeRef[] {
    return [...this.#sums.keys()];
  }

  /** The root is above what has no registered parent. */
  #isChild(child: ScopeRef, parent: ScopeRef, position: number): boolean {
    if (child === parent) return false;
    const parents = parentsAt(this.definitions, child, position);
    return parents.includes(parent) || (parents.length === 0 && parent === `tenant:${this.definitions.tenant}`);
  }

  #of(scope: ScopeRef): TreeSum {
    const known = this.#sums.get(scope) ?? { direct: new Map<string, bigint>(), children: new Map<string, bigint>() };
    this.#sums.set(scope, known);
    return known;
  }
}

const NOTHING: TreeSum = { direct: new Map(), children: new Map() };

const gain = (sums: Map<string, bigint>, currency: string, picos: bigint): void => {
  sums.set(currency, (sums.get(currency) ?? 0n) + picos);
};
