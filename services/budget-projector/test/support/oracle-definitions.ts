import { type EpochNs, type LedgerEvent, parseInstant, parsePicos } from '@bursar/contracts';
import type { Shape } from './hold-stories.js';

type Override = Readonly<{ position: number; budgetId: string; amount: bigint; isOff: boolean; expiresAt: EpochNs }>;
type Terms = Readonly<{
  position: number;
  budgetId: string;
  from: EpochNs;
  limit: bigint | null;
  blocks: boolean;
  percent: bigint;
  rollover: Shape['rollover'];
}>;

/** What the ledger had defined at a position: budgets, overrides, the tree and exchange rates, each as a list of all that was ever said. */
export class OracleDefinitions {
  readonly #overrides: Override[] = [];
  readonly #terms: Terms[] = [];
  readonly #parents: { position: number; scope: string; parents: readonly string[] }[] = [];
  readonly #rates: { position: number; pair: string; rate: bigint }[] = [];

  take(event: LedgerEvent): void {
    const { position } = event;
    switch (event.type) {
      case 'BudgetCreated':
      case 'BudgetChanged': {
        const { budgetId, definition } = event.data;
        const { limit, enforcement, rollover } = definition;
        const amount = limit.amount === null ? null : parsePicos(limit.amount);
        const percent = BigInt(enforcement.blockAtPercent);
        const [from, blocks] = [parseInstant(event.recordedAt), enforcement.mode === 'block'];
        this.#terms.push({ position, budgetId, from, limit: amount, blocks, percent, rollover: rollover.mode });
        return;
      }
      case 'OverrideGranted': {
        const { budgetId, amount, enforcement, expiresAt } = event.data;
        const isOff = enforcement === 'off';
        this.#overrides.push({ position, budgetId, amount: parsePicos(amount?.amount ?? '0'), isOff, expiresAt: parseInstant(expiresAt) });
        return;
      }
      case 'ScopeRegistered':
      case 'ScopeMoved':
        this.#parents.push({ position, ...event.data });
        return;
      case 'ExchangeRateSet':
        this.#rates.push({ position, pair: `${event.data.from}${event.data.to}`, rate: BigInt(event.data.rate) });
        return;
      default:
    }
  }

  /** All that a budget ever was, up to there. */
  terms(budgetId: string, position: number): readonly Terms[] {
    return this.#terms.filter((one) => one.budgetId === budgetId && one.position <= position);
  }

  overrides(budgetId: string, position: number, now: EpochNs): readonly Override[] {
    return this.#overrides.filter((one) => one.budgetId === budgetId && one.position <= position && one.expiresAt > now);
  }

  /** All that is charged, the root last. */
  path(scopes: readonly string[], position: number): readonly string[] {
    const path = new Set<string>(scopes);
    // A set hands out what is added to it on the way.
    for (const scope of path) {
      const known = this.#parents.findLast((one) => one.scope === scope && one.position <= position);
      for (const parent of known?.parents ?? []) path.add(parent);
    }
    return [...path, 'tenant:acme'];
  }

  /** null: no rate was known. */
  convert(amount: bigint, from: string, to: string, position: number): bigint | null {
    if (from === to) return amount;
    const known = this.#rates.findLast((one) => one.pair === `${from}${to}` && one.position <= position);
    return known === undefined ? null : amount * known.rate;
  }
}
