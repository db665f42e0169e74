import { decodeStored } from '@bursar/bus';
import { budgetStream, scopeStream, tenantStream } from '@bursar/contracts';
import { Arrivals, evolveDefinitions, TenantDefinitions } from '@bursar/contracts/folds';
import { EventStore } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';

/** All that one tenant ever defined, by position: who asks names the position, so what is ahead of it is harmless. */
export type Past = Readonly<{ definitions: TenantDefinitions; arrivals: Arrivals }>;

type Kept = Past & Readonly<{ revisions: Map<string, number> }>;

const PAGE = 500;
/** Tenants kept folded; the least recently used goes first. */
const MAX_KEPT = 50;

/** Definitions folded from the ledger itself: the same pure folds as the projector's, for questions about any position. */
@Injectable()
export class Pasts {
  readonly #kept = new Map<string, Kept>();

  constructor(private readonly store: EventStore) {}

  /** Scopes, prices, rates and these budgets, up to this moment. What was folded before is kept: only tails are read. */
  async load(tenant: string, budgetIds: readonly string[]): Promise<Past> {
    const past = this.#remember(tenant);
    const streams = [scopeStream(tenant), tenantStream(tenant), ...budgetIds.map((id) => budgetStream(tenant, id))];
    const revisions = await this.store.revisions(streams);
    for (const [index, stream] of streams.entries()) {
      if ((revisions[index] ?? -1) > (past.revisions.get(stream) ?? -1)) await this.#fold(past, stream);
    }
    return past;
  }

  /** Two loads may fold the same tail: these folds take an event any number of times. */
  async #fold(past: Kept, stream: string): Promise<void> {
    for (;;) {
      const page = await this.store.readStream(stream, (past.revisions.get(stream) ?? -1) + 1, PAGE);
      for (const stored of page) {
        const event = decodeStored(stored);
        evolveDefinitions(past.definitions, event);
        past.arrivals.apply(event);
      }
      const last = page.at(-1);
      if (last === undefined) return;
      past.revisions.set(stream, Math.max(last.revision, past.revisions.get(stream) ?? -1));
    }
  }

  #remember(tenant: string): Kept {
    const kept = this.#kept.get(tenant) ?? { definitions: new TenantDefinitions(tenant), arrivals: new Arrivals(), revisions: new Map() };
    this.#kept.delete(tenant);
    this.#kept.set(tenant, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return kept;
  }
}
