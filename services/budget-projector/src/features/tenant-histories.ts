import { TenantHistory } from '../domain/tenant-history.js';
import type { ProjectionTables } from './projection-tables.js';

const PAGE = 2_000;

/** The histories of a partition's tenants, read once and shared by its loops. */
export class TenantHistories {
  readonly #loaded = new Map<string, Promise<TenantHistory>>();

  constructor(private readonly tables: ProjectionTables) {}

  async get(tenant: string): Promise<TenantHistory> {
    const known = this.#loaded.get(tenant);
    if (known !== undefined) return known;
    const loading = this.#load(tenant);
    this.#loaded.set(tenant, loading);
    try {
      return await loading;
    } catch (error) {
      this.#loaded.delete(tenant);
      throw error;
    }
  }

  forget(tenant: string): void {
    this.#loaded.delete(tenant);
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
