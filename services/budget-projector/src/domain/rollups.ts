import { canonicalJson, type EpochNs, NS_PER_SECOND, type ScopeRef, type UsageRecordedEvent } from '@bursar/contracts';
import { type Charge, shareOf } from '@bursar/contracts/folds';

/** What one cell of the breakdown gains: increments, which add up in any order. */
export type Rollup = Readonly<{
  tenant: string;
  scope: ScopeRef;
  /** Start of the quarter hour of effectiveAt: some zones are :30 and :45 off. */
  bucket: EpochNs;
  /** Canonical JSON of the dimensions people group by. */
  key: string;
  /** Empty while the usage has no price. */
  currency: string;
  gain: Gain;
}>;

export type Gain = { spend: bigint; events: number; unpriced: number; inputTokens: bigint; outputTokens: bigint };

const QUARTER_HOUR = 900n * NS_PER_SECOND;
/** Keys kept for reuse; past it they are forgotten and made anew. */
const MAX_KEYS = 10_000;

type PathCells = Readonly<{ tenant: string; path: readonly ScopeRef[]; byKey: Map<string, Map<number, Gain>> }>;

/**
 * Rollup cells by scope and quarter hour, between two commits. Gathered by path first, since most usage comes on few paths (the tree
 * hands out the same array again and again), and spread over the scopes of the path when taken.
 */
export class Rollups {
  #byPath = new Map<readonly ScopeRef[], PathCells>();
  readonly #scopes = new Map<ScopeRef, readonly ScopeRef[]>();
  readonly #keys = new Map<string, string>();

  /** Adds a usage event with its charge to every scope of its path. */
  add(tenant: string, usage: UsageRecordedEvent, charged: Charge): void {
    this.#add(tenant, usage, charged, 1);
  }

  /** The usage was added at one charge and comes to another: it moves, perhaps to the cells of another currency. */
  reprice(tenant: string, usage: UsageRecordedEvent, was: Charge, is: Charge): void {
    this.#add(tenant, usage, was, -1);
    this.#add(tenant, usage, is, 1);
  }

  /** The usage was voided: what was added for it, at this charge, is taken back. */
  takeBack(tenant: string, usage: UsageRecordedEvent, charged: Charge): void {
    this.#add(tenant, usage, charged, -1);
  }

  /** The cells so far, also those that came to nothing: whether a cell has a row does not depend on where commits were. */
  take(): readonly Rollup[] {
    const cells = new Map<string, Rollup>();
    for (const paths of this.#byPath.values()) spread(paths, cells);
    this.#byPath = new Map();
    this.#scopes.clear();
    return [...cells.values()];
  }

  #add(tenant: string, usage: UsageRecordedEvent, charged: Charge, sign: 1 | -1): void {
    const { quantities } = usage.data;
    // Tokens are whole numbers; what is not throws before anything was added.
    const input = BigInt(quantities?.inputTokens ?? 0);
    const output = BigInt(quantities?.outputTokens ?? 0);
    const bucket = Number(charged.effectiveAt / QUARTER_HOUR);
    const key = this.#key(usage, charged);
    const gainOf = (path: readonly ScopeRef[], picos: bigint): void => {
      const gain = this.#gain(tenant, path, key, bucket);
      gain.events += sign;
      if (charged.cost === null) gain.unpriced += sign;
      else gain.spend += sign === 1 ? picos : -picos;
      gain.inputTokens += sign === 1 ? input : -input;
      gain.outputTokens += sign === 1 ? output : -output;
    };
    const { split } = charged;
    const picos = charged.cost?.picos ?? 0n;
    if (split === undefined) gainOf(charged.path, picos);
    // Each scope has its own share of the cost; it is one event, with all its tokens, to every one of them.
    else for (const scope of charged.path) gainOf(this.#alone(scope), shareOf(split, [scope], picos));
  }

  /** The path of one scope, the same array until the cells are taken. */
  #alone(scope: ScopeRef): readonly ScopeRef[] {
    return getOrAdd(this.#scopes, scope, () => [scope]);
  }

  #gain(tenant: string, path: readonly ScopeRef[], key: string, bucket: number): Gain {
    const { byKey } = getOrAdd(this.#byPath, path, () => ({ tenant, path, byKey: new Map<string, Map<number, Gain>>() }));
    const byBucket = getOrAdd(byKey, key, () => new Map<number, Gain>());
    return getOrAdd(byBucket, bucket, noGain);
  }

  #key({ data }: UsageRecordedEvent, { cost }: Charge): string {
    const { meter, category, status, dimensions } = data;
    const { provider, model, agent, campaign } = dimensions ?? NO_DIMENSIONS;
    // NUL is in none of them, and an absent one is told from an empty one.
    const parts = `${meter ?? ABSENT}\u0000${category ?? ABSENT}\u0000${status}\u0000${cost?.currency ?? ''}\u0000${provider ?? ABSENT}\u0000${model ?? ABSENT}\u0000${agent ?? ABSENT}\u0000${campaign ?? ABSENT}`;
    let key = this.#keys.get(parts);
    if (key === undefined) {
      key = canonicalJson({ meter, category, status, currency: cost?.currency, provider, model, agent, campaign });
      if (this.#keys.size >= MAX_KEYS) this.#keys.clear();
      this.#keys.set(parts, key);
    }
    return key;
  }
}

const getOrAdd = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
};

const ABSENT = '\u0001';
const NO_DIMENSIONS: Readonly<Record<string, string>> = {};

const noGain = (): Gain => ({ spend: 0n, events: 0, unpriced: 0, inputTokens: 0n, outputTokens: 0n });

const spread = ({ tenant, path, byKey }: PathCells, cells: Map<string, Rollup>): void => {
  for (const [key, byBucket] of byKey) {
    const { currency = '' } = JSON.parse(key) as { currency?: string };
    for (const [bucket, gain] of byBucket) {
      for (const scope of path) {
        const id = `${tenant}\u0000${scope}\u0000${bucket}\u0000${key}`;
        const known = cells.get(id);
        if (known === undefined) cells.set(id, { tenant, scope, bucket: BigInt(bucket) * QUARTER_HOUR, key, currency, gain: { ...gain } });
        else addGain(known.gain, gain);
      }
    }
  }
};

const addGain = (into: Gain, more: Gain): void => {
  into.spend += more.spend;
  into.events += more.events;
  into.unpriced += more.unpriced;
  into.inputTokens += more.inputTokens;
  into.outputTokens += more.outputTokens;
};
