import { setTimeout as delay } from 'node:timers/promises';
import { canonicalJson, contentHash, usageEventId, usageStream } from '@bursar/contracts';
import { createEventStore, type EventStore } from '@bursar/event-store';
import { readState } from '../../up/files.ts';
import type { Sent } from './load.ts';
import { Random } from './random.ts';
import { type Tenant, USERS } from './tenants.ts';

const SOURCE = 'mute';
const EVERY_MS = [100, 700] as const;

/**
 * Appends usage as an ingestion does that dies between its commit and its publish: nobody is told. Whoever follows must notice the gap
 * before what comes next, and read it from the store.
 */
export class MuteAppender {
  readonly #dataDir: string;
  readonly #partitions: number;
  readonly #tenants: readonly Tenant[];
  readonly #random: Random;
  /** By tenant. */
  readonly sent = new Map<string, Sent[]>();

  constructor(dataDir: string, partitions: number, tenants: readonly Tenant[], seed: number) {
    this.#dataDir = dataDir;
    this.#partitions = partitions;
    this.#tenants = tenants;
    this.#random = new Random(seed, 'mute');
  }

  async run(signal: AbortSignal): Promise<void> {
    const store = await createEventStore(readState(this.#dataDir, 'run')?.eventStoreUrl ?? '', {
      partitions: this.#partitions,
      name: 'chaos',
    });
    try {
      for (let n = 1; !signal.aborted; n += 1) {
        const tenant = this.#random.pick(this.#tenants);
        if (tenant !== undefined) await this.#append(store, tenant, String(n));
        await delay(this.#random.between(...EVERY_MS), undefined, { signal }).catch(() => undefined);
      }
    } finally {
      await store.close();
    }
  }

  async #append(store: EventStore, { name, partition }: Tenant, n: string): Promise<void> {
    const id = `mute-${n}`;
    const data = {
      id,
      source: SOURCE,
      occurredAt: new Date().toISOString(),
      scopes: [`user:${this.#random.whole(0, USERS - 1)}`],
      cost: { amount: '0.000000000001', currency: 'USD' },
      status: 'succeeded',
    };
    const event = {
      id: usageEventId(name, SOURCE, id),
      type: 'UsageRecorded',
      version: 1,
      data: canonicalJson(data),
      meta: JSON.stringify({ tenant: name, actor: 'chaos', via: 'http' }),
      contentHash: contentHash(data),
    };
    const request = { partition, stream: usageStream(name), events: [event], expectedRevision: 'any' } as const;
    const state = await store.append(request).then(
      ({ ok }) => (ok ? ('acknowledged' as const) : ('unknown' as const)),
      () => 'unknown' as const, // PostgreSQL was killed meanwhile
    );
    this.sent.set(name, [...(this.sent.get(name) ?? []), { id, picos: 1n, state }]);
  }
}
