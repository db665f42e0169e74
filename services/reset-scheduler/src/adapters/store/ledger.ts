import { type Bus, consumeLedger, decodeStored } from '@bursar/bus';
import { budgetStream, type LedgerEvent, parseInstant } from '@bursar/contracts';
import { evolveDefinitions, findBudget, TenantDefinitions } from '@bursar/contracts/folds';
import { type EventStore, streamPages } from '@bursar/event-store';
import type { Saying } from '../../domain/say.js';
import type { BudgetVersion } from '../../features/ledger.js';
import { type FollowOptions, Ledger } from '../../features/ledger.js';

/** How often the store is asked for what the bus did not announce (RELIABILITY F10). */
const POLL_MS = 500;
const MAX_EVENTS = 1_000;
/** What the clock says waits for nobody here; what the ledger says may wait a little, for others that are read with it. */
const GATHER_MS = 100;

/** The event store, with the bus to be told of what is new. Without NATS the store is polled. */
export class StoreLedger extends Ledger {
  constructor(
    private readonly store: EventStore,
    private readonly bus: Bus,
  ) {
    super();
  }

  get partitions(): number {
    return this.store.partitions;
  }

  follow(
    { partition, after, signal, types }: FollowOptions,
    handler: (events: readonly LedgerEvent[], last: number) => Promise<void>,
  ): Promise<void> {
    const { store, bus } = this;
    const wants = (type: string): boolean => types.has(type);
    const options = { store, bus, partition, after, maxEvents: MAX_EVENTS, pollMs: POLL_MS, gatherMs: GATHER_MS, signal, wants };
    return consumeLedger(options, ({ events, last }) => handler(events, last));
  }

  look(partition: number): void {
    this.bus.hubOf(this.store).look(partition);
  }

  async heads(): Promise<ReadonlyMap<number, number>> {
    return new Map((await this.store.heads()).map(({ partition, position }) => [partition, position]));
  }

  async history(tenant: string, budgetId: string): Promise<readonly BudgetVersion[]> {
    const definitions = new TenantDefinitions(tenant);
    const versions: BudgetVersion[] = [];
    for await (const page of streamPages(this.store, budgetStream(tenant, budgetId))) {
      for (const stored of page) {
        const event = decodeStored(stored);
        evolveDefinitions(definitions, event);
        const state = findBudget(definitions, budgetId, event.position);
        if (state !== null) versions.push({ at: parseInstant(event.recordedAt), state });
      }
    }
    return versions;
  }

  async append(partition: number, sayings: readonly Saying[]): Promise<readonly boolean[]> {
    const [first] = sayings;
    if (first === undefined) return [];
    const events = sayings.map(({ id, type, version, data, meta, hash }) => ({ id, type, version, data, meta, contentHash: hash }));
    const result = await this.store.append({ partition, stream: first.stream, events, expectedRevision: 'any' });
    if (!result.ok) throw new Error(`an append without expectation was refused on ${first.stream}`);
    return result.outcomes.map(({ status }) => status === 'accepted');
  }
}
