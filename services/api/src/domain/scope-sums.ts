import { formatPicos, type ScopeRef } from '@bursar/contracts';
import { type ScopeState, type Settled, shareOf } from '@bursar/contracts/folds';

type Row = Readonly<{ scope: ScopeRef; currency: string; spend: string; unpriced: number }>;

/** All that scopes ever spent, by currency, from usage that was not voided; what has no price yet has the currency ''. */
export class ScopeSums {
  readonly #sums = new Map<ScopeRef, Map<string, { spend: bigint; unpriced: number }>>();

  add({ charged: { path, cost, split } }: Settled): void {
    for (const scope of path) {
      const sums = this.#of(scope, cost?.currency ?? '');
      if (cost === null) sums.unpriced += 1;
      else sums.spend += shareOf(split, [scope], cost.picos);
    }
  }

  /** By scope, then currency. */
  rows(): readonly Row[] {
    const rows = [...this.#sums].flatMap(([scope, byCurrency]) =>
      [...byCurrency].map(([currency, { spend, unpriced }]) => ({ scope, currency, spend: formatPicos(spend), unpriced })),
    );
    return rows.sort((a, b) => ascending(a.scope, b.scope) || ascending(a.currency, b.currency));
  }

  #of(scope: ScopeRef, currency: string): { spend: bigint; unpriced: number } {
    const byCurrency = this.#sums.get(scope) ?? new Map<string, { spend: bigint; unpriced: number }>();
    this.#sums.set(scope, byCurrency);
    const sums = byCurrency.get(currency) ?? { spend: 0n, unpriced: 0 };
    byCurrency.set(currency, sums);
    return sums;
  }
}

/** A scope and all registered below it. */
export const within = (top: ScopeRef, scopes: readonly ScopeState[]): ReadonlySet<ScopeRef> => {
  const children = new Map<ScopeRef, ScopeRef[]>();
  for (const { scope, parents } of scopes) for (const parent of parents) children.set(parent, [...(children.get(parent) ?? []), scope]);
  const found = new Set([top]);
  // A set is walked in the order it grows.
  for (const scope of found) for (const child of children.get(scope) ?? []) found.add(child);
  return found;
};

const ascending = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
