import { decodeStored } from '@bursar/bus';
import { balanceStream, budgetStream, type LedgerEvent, scopeStream, tenantStream } from '@bursar/contracts';
import { Arrivals, evolveDefinitions, TenantDefinitions } from '@bursar/contracts/folds';
import { EventStore } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';

/** All that one tenant ever defined, by position: who asks names the position, so what is ahead of it is harmless. */
export type Past = Readonly<{
  definitions: TenantDefinitions;
  arrivals: Arrivals;
  /** Of the budgets asked for: what happened to each, oldest first. */
  stamps: ReadonlyMap<string, readonly Stamp[]>;
}>;
/** When a budget's stream got another event, and who asked for it. */
export type Stamp = Readonly<{ position: number; revision: number; recordedAt: string; actor: string | null }>;

type Kept = Past & Readonly<{ revisions: Map<string, number>; stamps: Map<string, Stamp[]> }>;

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
    const streams = [
      scopeStream(tenant),
      tenantStream(tenant),
      ...budgetIds.flatMap((id) => [budgetStream(tenant, id), balanceStream(tenant, id)]),
    ];
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
        if (stream.startsWith('budget-')) stamp(past, stream.slice(stream.indexOf('.') + 1), event);
      }
      const last = page.at(-1);
      if (last === undefined) return;
      past.revisions.set(stream, Math.max(last.revision, past.revisions.get(stream) ?? -1));
    }
  }

  #remember(tenant: string): Kept {
    const kept = this.#kept.get(tenant) ?? empty(tenant);
    this.#kept.delete(tenant);
    this.#kept.set(tenant, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return kept;
  }
}

const empty = (tenant: string): Kept => ({
  definitions: new TenantDefinitions(tenant),
  arrivals: new Arrivals(),
  stamps: new Map(),
  revisions: new Map(),
});

const stamp = ({ stamps }: Kept, budgetId: string, { position, revision, recordedAt, meta }: LedgerEvent): void => {
  const known = stamps.get(budgetId) ?? [];
  if (known.length === revision) stamps.set(budgetId, [...known, { position, revision, recordedAt, actor: meta.actor ?? null }]);
};
