import { TenantHistory } from '../domain/tenant-history.js';
import type { ProjectionTables } from './projection-tables.js';

const PAGE = 2_000;

/** The histories of a partition's tenants, read once and shared by its loops. */
export class TenantHistories {
  readonly #loaded = new Map<string, Promise<TenantHistory>>();
  /** Events that each was made of. */
  readonly #sizes = new Map<string, number>();
  #size = 0;

  constructor(private readonly tables: ProjectionTables) {}

  async get(tenant: string): Promise<TenantHistory> {
    const known = this.#loaded.get(tenant);
    if (known !== undefined) return known;
    const loading = this.#load(tenant);
    this.#loaded.set(tenant, loading);
    try {
      const history = await loading;
      // Forgotten meanwhile? Then it is not kept here.
      if (this.#loaded.get(tenant) === loading) this.count(history);
      return history;
    } catch (error) {
      this.#loaded.delete(tenant);
      throw error;
    }
  }

  /** Events that those in memory were made of. */
  get size(): number {
    return this.#size;
  }

  /** It may have grown. */
  count({ tenant, size }: TenantHistory): void {
    this.#size += size - (this.#sizes.get(tenant) ?? 0);
    this.#sizes.set(tenant, size);
  }

  forget(tenant: string): void {
    this.#loaded.delete(tenant);
    this.#size -= this.#sizes.get(tenant) ?? 0;
    this.#sizes.delete(tenant);
  }

  /** Forgets all others: those that only a loop beside the fold asked for. */
  keep(tenants: Pick<ReadonlySet<string>, 'has'>): void {
    for (const tenant of [...this.#sizes.keys()]) if (!tenants.has(tenant)) this.forget(tenant);
  }

  async #load(tenant: string): Promise<TenantHistory> {
    const history = new TenantHistory(tenant);
    for (let after = 0; ; ) {
      const events = await this.tables.definitions(tenant, after, PAGE);
      for (const event of events) history.evolve(event);
      after = events.at(-1)?.position ?? after;
      if (events.length < PAGE) return history;
    }
  }
}
