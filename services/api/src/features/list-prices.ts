import { formatInstant, NS_PER_MS, parseInstant, partitionOf, tenantStream } from '@bursar/contracts';
import { EventStore } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';
import { positionText } from '../adapters/sql/snapshot.js';
import { type Aggregate, Streams } from '../adapters/store/streams.js';
import { type ExchangeRate, evolveTenantSettings, type PriceList, TenantSettings } from '../domain/tenant-settings.js';
import { Installation } from '../installation.js';
import { type Answer, ok } from './answer.js';
import { Cursors } from './cursors.js';
import { type PageQuery, pageOf } from './paging.js';

const SETTINGS: Aggregate<TenantSettings> = {
  initial: () => new TenantSettings(),
  evolve: (settings, event) => {
    evolveTenantSettings(settings, event);
    return settings;
  },
  // Asked for now and then, and a shipped list is half a megabyte: folded anew each time.
  live: false,
};

/** GET /price-lists, /price-lists/current and /exchange-rates, straight from the ledger: a list posted is there at once. */
@Injectable()
export class ListPrices {
  constructor(
    private readonly streams: Streams,
    private readonly store: EventStore,
    private readonly cursors: Cursors,
    private readonly installation: Installation,
  ) {}

  /** Lists without their prices, newest first. */
  async lists(tenant: string, query: PageQuery): Promise<Answer> {
    const { priceLists } = await this.#settings(tenant);
    return this.#page(tenant, 'price-lists', query, [...priceLists.values()], (list) => {
      const { prices, ...rest } = this.#showList(tenant, list);
      return { ...rest, priceCount: prices.length };
    });
  }

  /** Whole lists whose effectiveFrom has come, the strongest first: later effectiveFrom, then later created. */
  async current(tenant: string, query: PageQuery): Promise<Answer> {
    const { priceLists } = await this.#settings(tenant);
    const now = BigInt(Math.trunc(await this.store.clock())) * NS_PER_MS;
    const inForce = [...priceLists.values()].filter((list) => parseInstant(list.effectiveFrom) <= now);
    inForce.sort((a, b) => compareInstants(a.effectiveFrom, b.effectiveFrom) || a.position - b.position);
    return this.#page(tenant, 'price-lists/current', query, inForce, (list) => this.#showList(tenant, list));
  }

  async rates(tenant: string, query: PageQuery): Promise<Answer> {
    const { rates } = await this.#settings(tenant);
    return this.#page(tenant, 'exchange-rates', query, rates, (rate) => this.#placed(tenant, rate));
  }

  async #settings(tenant: string): Promise<TenantSettings> {
    return (await this.streams.load(tenantStream(tenant), tenant, SETTINGS)).state;
  }

  async #page<R extends PriceList | ExchangeRate>(
    tenant: string,
    list: string,
    query: PageQuery,
    weakestFirst: readonly R[],
    show: (row: R) => unknown,
  ): Promise<Answer> {
    const rows = weakestFirst.toReversed();
    // The place is the last row's position; what was posted since the page before may stand before or behind it.
    const fetch = (after: readonly (string | number)[] | null, limit: number): Promise<readonly R[]> => {
      const start = after === null ? 0 : rows.findIndex((row) => row.position === Number(after[0])) + 1;
      return Promise.resolve(rows.slice(start, start + limit));
    };
    return ok(await pageOf(this.cursors, tenant, list, query, fetch, (row) => [row.position], show));
  }

  #showList(tenant: string, { listId: id, ...list }: PriceList) {
    return { id, ...this.#placed(tenant, list) };
  }

  #placed<R extends Readonly<{ position: number; createdAt: string }>>(tenant: string, row: R) {
    const { position, createdAt, ...rest } = row;
    return {
      ...rest,
      createdAt: formatInstant(parseInstant(createdAt)),
      position: positionText(partitionOf(tenant, this.installation.partitions), position),
    };
  }
}

const compareInstants = (a: string, b: string): number => {
  const [left, right] = [parseInstant(a), parseInstant(b)];
  return left < right ? -1 : left > right ? 1 : 0;
};
