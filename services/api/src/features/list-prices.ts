import { formatInstant, NS_PER_MS, parseInstant, partitionOf, tenantStream } from '@bursar/contracts';
import type { AsOf } from '@bursar/contracts/http';
import { EventStore } from '@bursar/event-store';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { positionText } from '../adapters/sql/snapshot.js';
import { Moments } from '../adapters/store/moments.js';
import { type Aggregate, Streams } from '../adapters/store/streams.js';
import { type ExchangeRate, evolveTenantSettings, type PriceList, TenantSettings } from '../domain/tenant-settings.js';
import { Installation } from '../installation.js';
import { type Answer, ok } from './answer.js';
import { Cursors } from './cursors.js';
import { type PageQuery, pageOf } from './paging.js';

/** What was said up to a position. */
const settingsAt = (position: number): Aggregate<TenantSettings> => ({
  initial: () => new TenantSettings(),
  evolve: (settings, event) => {
    if (event.position <= position) evolveTenantSettings(settings, event);
    return settings;
  },
  // Asked for now and then, and a shipped list is half a megabyte: folded anew each time.
  live: false,
});
const NEWEST = settingsAt(Number.POSITIVE_INFINITY);

/** GET /price-lists, /price-lists/current and /exchange-rates, straight from the ledger: a list posted is there at once. */
@Injectable()
export class ListPrices {
  constructor(
    private readonly streams: Streams,
    private readonly store: EventStore,
    private readonly cursors: Cursors,
    private readonly installation: Installation,
    private readonly moments: Moments,
  ) {}

  /** Throws 404 when the tenant has no such list. */
  async mustHave(tenant: string, listId: string): Promise<void> {
    const { priceLists } = await this.#settings(tenant);
    if (!priceLists.has(listId)) throw new Problem('not_found', 'There is no such price list.');
  }

  /** Lists without their prices, newest first. */
  async lists(tenant: string, query: PageQuery): Promise<Answer> {
    const { priceLists } = await this.#settings(tenant);
    return this.#page(tenant, 'price-lists', query, [...priceLists.values()], (list) => {
      const { prices, ...rest } = this.#showList(tenant, list);
      return { ...rest, priceCount: prices.length };
    });
  }

  /**
   * Whole lists whose effectiveFrom has come, the strongest first: later effectiveFrom, then later created. `asOf`: those that were known at
   * that moment, with the prices they had, by its clock.
   */
  async current(tenant: string, { asOf, ...query }: PageQuery & Readonly<{ asOf?: AsOf }>): Promise<Answer> {
    const then = asOf === undefined ? null : await this.moments.resolve(tenant, asOf);
    const aggregate = then === null ? NEWEST : settingsAt(then.position);
    const { priceLists } = (await this.streams.load(tenantStream(tenant), tenant, aggregate)).state;
    const now = then?.now ?? BigInt(Math.trunc(await this.store.clock())) * NS_PER_MS;
    const inForce = [...priceLists.values()].filter((list) => parseInstant(list.effectiveFrom) <= now);
    inForce.sort((a, b) => compareInstants(a.effectiveFrom, b.effectiveFrom) || a.position - b.position);
    const list = `price-lists/current ${asOf === undefined ? '' : JSON.stringify(asOf)}`;
    return this.#page(tenant, list, query, inForce, (list) => this.#showList(tenant, list));
  }

  async rates(tenant: string, query: PageQuery): Promise<Answer> {
    const { rates } = await this.#settings(tenant);
    return this.#page(tenant, 'exchange-rates', query, rates, (rate) => this.#placed(tenant, rate));
  }

  async #settings(tenant: string): Promise<TenantSettings> {
    return (await this.streams.load(tenantStream(tenant), tenant, NEWEST)).state;
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
