import type { EventOf, LedgerEvent, StoredChannel } from '@bursar/contracts';
import type { AlertPreferences, Database } from '@bursar/database';
import type { Kysely } from 'kysely';

/** What a tenant has set before it sets anything (contracts, TenantSettings). */
const DEFAULTS: AlertPreferences = { defaultChannels: [], alertWindow: '1h', adminContact: null, profile: 'default', templates: {} };

export const withDefaults = (known: Partial<AlertPreferences> | null | undefined): AlertPreferences => ({ ...DEFAULTS, ...known });

type RoutingEvent = EventOf<'ChannelSaved' | 'ChannelRemoved' | 'TenantSettingsChanged' | 'NotificationTemplateSaved'>;
const TYPES: ReadonlySet<string> = new Set<RoutingEvent['type']>([
  'ChannelSaved',
  'ChannelRemoved',
  'TenantSettingsChanged',
  'NotificationTemplateSaved',
]);
export const changesRouting = (event: LedgerEvent): event is RoutingEvent => TYPES.has(event.type);

type Kept = Readonly<{ channel: StoredChannel; position: number }>;

/** One tenant's channels and preferences as of a position. Folded in place; {@link saveRouting} stores what changed. */
export class TenantRouting {
  readonly saved = new Map<string, Kept>();
  readonly removed = new Set<string>();
  preferencesChanged = false;

  constructor(
    readonly tenant: string,
    private readonly known: Map<string, Kept>,
    public preferences: AlertPreferences,
  ) {}

  /** Oldest first. */
  channels(): readonly StoredChannel[] {
    return [...this.known.values()].map(({ channel }) => channel);
  }

  apply(event: LedgerEvent): void {
    if (!changesRouting(event)) return;
    switch (event.type) {
      case 'ChannelSaved': {
        const kept = { channel: event.data, position: this.known.get(event.data.channelId)?.position ?? event.position };
        this.known.set(event.data.channelId, kept);
        this.saved.set(event.data.channelId, kept);
        this.removed.delete(event.data.channelId);
        return;
      }
      case 'ChannelRemoved':
        this.known.delete(event.data.channelId);
        this.saved.delete(event.data.channelId);
        this.removed.add(event.data.channelId);
        return;
      case 'TenantSettingsChanged': {
        const { defaultChannels, alertWindow, adminContact, profile } = event.data.settings;
        this.#prefer({ defaultChannels, alertWindow, adminContact, profile });
        return;
      }
      case 'NotificationTemplateSaved': {
        const { [event.data.event]: _, ...others } = this.preferences.templates;
        const { template } = event.data;
        this.#prefer({ templates: template === null ? others : { ...others, [event.data.event]: template } });
        return;
      }
    }
  }

  #prefer(changes: Partial<AlertPreferences>): void {
    this.preferences = { ...this.preferences, ...changes };
    this.preferencesChanged = true;
  }
}

/** Of each of these tenants, also those that have nothing yet. */
export const loadRouting = async (trx: Kysely<Database>, tenants: readonly string[]): Promise<ReadonlyMap<string, TenantRouting>> => {
  const channels = await trx.selectFrom('alerting.channel').selectAll().where('tenant', 'in', tenants).orderBy('position').execute();
  const preferences = await trx.selectFrom('alerting.preference').selectAll().where('tenant', 'in', tenants).execute();
  const preferencesOf = new Map(preferences.map((row) => [row.tenant, row.preferences]));
  const channelsOf = Map.groupBy(channels, ({ tenant }) => tenant);
  return new Map(
    tenants.map((tenant) => {
      const kept = (channelsOf.get(tenant) ?? []).map(({ channel, position }) => [channel.channelId, { channel, position }] as const);
      return [tenant, new TenantRouting(tenant, new Map(kept), withDefaults(preferencesOf.get(tenant)))];
    }),
  );
};

export const saveRouting = async (trx: Kysely<Database>, tenants: Iterable<TenantRouting>): Promise<void> => {
  for (const { tenant, saved, removed, preferencesChanged, preferences } of tenants) {
    for (const [channel_id, { channel, position }] of saved) {
      const row = { tenant, channel_id, channel: JSON.stringify(channel), position };
      await trx
        .insertInto('alerting.channel')
        .values(row)
        .onConflict((conflict) => conflict.columns(['tenant', 'channel_id']).doUpdateSet({ channel: row.channel }))
        .execute();
    }
    if (removed.size > 0) {
      await trx
        .deleteFrom('alerting.channel')
        .where('tenant', '=', tenant)
        .where('channel_id', 'in', [...removed])
        .execute();
    }
    if (!preferencesChanged) continue;
    const text = JSON.stringify(preferences);
    await trx
      .insertInto('alerting.preference')
      .values({ tenant, preferences: text })
      .onConflict((conflict) => conflict.column('tenant').doUpdateSet({ preferences: text }))
      .execute();
  }
};
