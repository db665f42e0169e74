import type { EventOf } from '../events/registry.js';
import type { TenantSettings } from '../events/tenant.js';
import { readOnce } from '../values/read-once.js';
import { History } from './history.js';
import { type PriceEntry, toEntry } from './price-book.js';

/** What a tenant has that never set anything. */
export const DEFAULT_SETTINGS: TenantSettings = {
  profile: 'default',
  adminContact: null,
  defaultChannels: [],
  userDefaults: { limit: '30', adminLimit: '100', budgetVisibleToUser: true },
  unpricedPolicy: 'count_when_priced',
  fallbackPrice: null,
  unreservedPolicy: 'count',
  alertWindow: '1h',
  lateWindow: null,
  allocation: [],
  tenantAdminMayOverride: false,
  currency: 'USD',
  litellm: null,
};

/** Under which list's id a fallback price is among the prices that were used. */
export const FALLBACK_LIST = 'fallback';

/** The settings of one tenant by position. */
export class SettingsBook {
  readonly #history = new History<EventOf<'TenantSettingsChanged'>, TenantSettings>(DEFAULT_SETTINGS, settingsAfter);

  #last = 0;

  /** Position of the last event that is in; 0 when none is. */
  get lastPosition(): number {
    return this.#last;
  }

  apply(event: EventOf<'TenantSettingsChanged'>): void {
    this.#last = Math.max(this.#last, event.position);
    this.#history.insert(event.position, event);
  }

  at(position: number): TenantSettings {
    return this.#history.at(position);
  }

  /** What units without a price cost at the position, by policy; undefined: they wait, or were refused. */
  fallbackAt(position: number): PriceEntry | undefined {
    const settings = this.at(position);
    if (settings.unpricedPolicy !== 'fallback_price' || settings.fallbackPrice === null) return undefined;
    return fallbackEntry(settings.fallbackPrice);
  }
}

/** What is newer than the event is at its default. */
export const settingsAfter = (_: unknown, { data }: Pick<EventOf<'TenantSettingsChanged'>, 'data'>): TenantSettings => ({
  ...DEFAULT_SETTINGS,
  ...data.settings,
});

/** Settings are immutable: the price of each is made once. */
const fallbackEntry = readOnce(
  ({ unit, amount, currency, per }: NonNullable<TenantSettings['fallbackPrice']>): PriceEntry =>
    toEntry(
      { listId: FALLBACK_LIST, name: FALLBACK_LIST, currency, effectiveFrom: 0n, createdPosition: 0 },
      { meter: '*', match: {}, unit, amount, per },
      0,
      0,
    ),
);
