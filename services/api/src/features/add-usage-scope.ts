import {
  canonicalJson,
  contentHash,
  type EventOf,
  parsePicos,
  partitionOf,
  type UsageData,
  UsageRecorded,
  usageEventId,
  usageScopeEventId,
  usageStream,
  voidEventId,
} from '@bursar/contracts';
import type { SentUsage } from '@bursar/contracts/http';
import { type Database, usageCorrections } from '@bursar/database';
import { EventStore } from '@bursar/event-store';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { positionText } from '../adapters/sql/snapshot.js';
import { readable } from '../adapters/store/readable.js';
import type { CommandContext } from './command-context.js';
import { SettingsOfTenant } from './settings-of-tenant.js';
import { Settled } from './settled.js';
import type { Receipt } from './usage-intake.js';

type Recorded = EventOf<'UsageRecorded'>;

/** Scopes of one usage, with those added to it (API.md: 1–16). */
const MAX_SCOPES = 16;
/** Usage that keeps coming in between is a busy tenant's; each attempt is some milliseconds. */
const ATTEMPTS = 50;

/**
 * Usage that was recorded through one budget comes again through another (API.md, `POST /budgets/:id/usage`): the other's scope is added,
 * by a usage event that charges what the earlier ones did not. The n-th addition has an id of its own, and is appended only where nothing
 * came in between, so that two at once, or a void at the same time, never charge twice.
 */
@Injectable()
export class AddUsageScope {
  constructor(
    private readonly store: EventStore,
    private readonly db: Kysely<Database>,
    private readonly settled: Settled,
    private readonly settings: SettingsOfTenant,
  ) {}

  /** null: it is another usage under the same id, or one that was split, voided or corrected since. */
  async add(context: CommandContext, sent: SentUsage): Promise<Receipt | null> {
    const { tenant } = context;
    const partition = partitionOf(tenant, this.store.partitions);
    const { currency } = await this.settings.of(tenant);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const [revision = -1] = await this.store.revisions([usageStream(tenant)]);
      const [original, ...parts] = await this.#recorded(tenant, partition, usageEventId(tenant, sent.source, sent.id));
      if (original === undefined || !isAlike(original.data, sent, currency)) return null;
      if (await this.#isCorrected(tenant, partition, original, revision)) return null;
      const all = [original, ...parts];
      const known = new Set(all.flatMap(({ data }) => data.scopes));
      const scopes = sent.scopes.filter((scope) => !known.has(scope));
      const last = all.at(-1) ?? original;
      if (scopes.length === 0) return { status: 'duplicate', eventId: original.id, position: positionText(partition, last.position) };
      if (known.size + scopes.length > MAX_SCOPES) return null;
      const event = toAppend(context, all, original, scopes);
      const result = await this.store.append({ partition, stream: usageStream(tenant), events: [event], expectedRevision: revision });
      const [outcome] = result.ok ? result.outcomes : [];
      if (outcome === undefined || outcome.status === 'conflict') continue;
      return { status: 'accepted', eventId: event.id, position: positionText(partition, outcome.position) };
    }
    throw new Problem('conflict', 'Other usage keeps coming in between.', { retryAfter: 1 });
  }

  /** The original and what was added to it, in order. */
  async #recorded(tenant: string, partition: number, id: string): Promise<readonly Recorded[]> {
    const ids = [id, ...Array.from({ length: MAX_SCOPES }, (_, n) => usageScopeEventId(tenant, id, n + 1))];
    const known = await this.store.lookup(partition, ids);
    const found: Recorded[] = [];
    for (const one of ids) {
      const revision = known.get(one)?.revision;
      if (revision === undefined) break;
      const [stored] = await this.store.readStream(usageStream(tenant), revision, 1);
      const event = stored === undefined ? null : readable(stored);
      if (event?.type === 'UsageRecorded' && event.id === one) found.push(event);
    }
    return found;
  }

  /** As of the revision: the projection is waited for, so that it knows what the ledger said by then. */
  async #isCorrected(tenant: string, partition: number, { id, position }: Recorded, revision: number): Promise<boolean> {
    const voided = voidEventId(tenant, id);
    if ((await this.store.lookup(partition, [voided])).has(voided)) return true;
    const [newest] = await this.store.readStream(usageStream(tenant), revision, 1);
    if (newest !== undefined) await this.settled.at(newest);
    return (await usageCorrections(this.db, tenant, [position])).size > 0;
  }
}

/** Equal source, id and cost; where no cost was sent, what it would be made of. An amount that was split is split once. */
const isAlike = (data: UsageData, { cost, quantities, meter, dimensions }: SentUsage, currency: string): boolean => {
  if (data.allocation !== undefined) return false;
  if (cost !== undefined && data.cost !== undefined) {
    return parsePicos(cost.amount) === parsePicos(data.cost.amount) && (cost.currency ?? currency) === data.cost.currency;
  }
  if (cost !== undefined || data.cost !== undefined) return false;
  return canonicalJson([quantities, meter, dimensions]) === canonicalJson([data.quantities, data.meter, data.dimensions]);
};

const toAppend = (
  { tenant, actor, requestId, trace }: CommandContext,
  all: readonly Recorded[],
  original: Recorded,
  scopes: readonly string[],
) => {
  const { reservationId: _, ...rest } = original.data;
  const beyond = all.map(({ id: eventId, data, position }) => ({ eventId, scopes: data.scopes, position }));
  const data: UsageData = { ...rest, scopes: [...scopes], beyond };
  return {
    id: usageScopeEventId(tenant, original.id, all.length),
    type: UsageRecorded.type,
    version: UsageRecorded.version,
    data: JSON.stringify(data),
    meta: JSON.stringify({ tenant, actor, via: 'http', causationId: requestId, ...trace }),
    contentHash: contentHash({ eventId: original.id, scopes }),
  };
};
