import { canonicalJson, type EpochNs, NS_PER_SECOND, parseDecimal, type ScopeRef, type UsageRecordedEvent } from '@bursar/contracts';
import type { Charge } from '@bursar/contracts/folds';

/** What one cell of the breakdown gains: increments, which add up in any order. */
export type Rollup = {
  readonly tenant: string;
  readonly scope: ScopeRef;
  /** Start of the quarter hour of effectiveAt: some zones are :30 and :45 off. */
  readonly bucket: EpochNs;
  /** Canonical JSON of the dimensions people group by. */
  readonly key: string;
  /** Empty while the usage has no price. */
  readonly currency: string;
  spend: bigint;
  events: number;
  unpriced: number;
  /** Scaled by 10^12. */
  inputTokens: bigint;
  outputTokens: bigint;
};

const QUARTER_HOUR = 900n * NS_PER_SECOND;
const TOKEN_SCALE = 12;

/** Rollup cells by scope and quarter hour, between two commits: usage of the same cell is one row. */
export class Rollups {
  readonly #cells = new Map<string, Rollup>();

  get size(): number {
    return this.#cells.size;
  }

  /** Adds a usage event with its charge to every scope of its path. */
  add(tenant: string, usage: UsageRecordedEvent, charged: Charge): void {
    this.#addAll(tenant, usage, charged, 1);
  }

  /** The usage was added without a price: it moves to the cells of its currency. */
  reprice(tenant: string, usage: UsageRecordedEvent, unpriced: Charge, priced: Charge): void {
    this.#addAll(tenant, usage, unpriced, -1);
    this.#addAll(tenant, usage, priced, 1);
  }

  /** The cells so far; those that came to nothing are left out. */
  take(): readonly Rollup[] {
    const cells = [...this.#cells.values()].filter(isChange);
    this.#cells.clear();
    return cells;
  }

  #addAll(tenant: string, usage: UsageRecordedEvent, charged: Charge, sign: 1 | -1): void {
    const bucket = charged.effectiveAt - (charged.effectiveAt % QUARTER_HOUR);
    const currency = charged.cost?.currency ?? '';
    const key = dimensionsKey(usage, currency);
    const spend = (charged.cost?.picos ?? 0n) * BigInt(sign);
    const input = tokens(usage, 'inputTokens') * BigInt(sign);
    const output = tokens(usage, 'outputTokens') * BigInt(sign);
    const suffix = `\u0000${bucket}\u0000${key}`;
    for (const scope of charged.path) {
      const cell = this.#cell(`${tenant}\u0000${scope}${suffix}`, { tenant, scope, bucket, key, currency });
      cell.spend += spend;
      cell.events += sign;
      if (charged.cost === null) cell.unpriced += sign;
      cell.inputTokens += input;
      cell.outputTokens += output;
    }
  }

  #cell(id: string, place: Pick<Rollup, 'tenant' | 'scope' | 'bucket' | 'key' | 'currency'>): Rollup {
    let cell = this.#cells.get(id);
    if (cell === undefined) {
      cell = { ...place, spend: 0n, events: 0, unpriced: 0, inputTokens: 0n, outputTokens: 0n };
      this.#cells.set(id, cell);
    }
    return cell;
  }
}

/** The dimensions of every cell; any other is read from the ledger. */
const GROUPED = ['provider', 'model', 'agent', 'campaign'] as const;

const dimensionsKey = ({ data }: UsageRecordedEvent, currency: string): string => {
  const { meter, category, status, dimensions } = data;
  const key: Record<string, string | undefined> = { meter, category, status, currency: currency === '' ? undefined : currency };
  for (const name of GROUPED) key[name] = dimensions?.[name];
  return canonicalJson(key);
};

const tokens = ({ data }: UsageRecordedEvent, unit: string): bigint => {
  const text = data.quantities?.[unit];
  return text === undefined ? 0n : parseDecimal(text, TOKEN_SCALE);
};

const isChange = ({ spend, events, unpriced, inputTokens, outputTokens }: Rollup): boolean =>
  spend !== 0n || events !== 0 || unpriced !== 0 || inputTokens !== 0n || outputTokens !== 0n;
