import { canonicalJson, type LedgerEvent, rootScope, scopeType, type TenantSettings } from '@bursar/contracts';
import { DEFAULT_SETTINGS, settingsAfter } from '@bursar/contracts/folds';
import type { TenantSettingsInput } from '@bursar/contracts/http';
import type { NewEvent } from './new-event.js';
import { Rejection } from './rejection.js';

/** A tenant's settings with how often they were changed, when last and by whom; instants as the store wrote them. */
export type SettingsState = Readonly<{
  settings: TenantSettings;
  revision: number;
  updatedAt: string | null;
  updatedBy: string | null;
}>;
export const unchangedSettings: SettingsState = { settings: DEFAULT_SETTINGS, revision: 0, updatedAt: null, updatedBy: null };

/** Total; other events of the tenant's stream change nothing. */
export const evolveSettings = (state: SettingsState, event: LedgerEvent): SettingsState =>
  event.type === 'TenantSettingsChanged'
    ? {
        settings: settingsAfter(state.settings, event),
        revision: state.revision + 1,
        updatedAt: event.recordedAt,
        updatedBy: event.meta.actor ?? null,
      }
    : state;

/** Makes of a secret what the ledger keeps; `name` is its place. */
export type Seal = (secret: string, name: string) => string;

/** What is left out stays, null is the default again. Throws {@link Rejection}; what is so already records nothing. */
export const decideSettings = (
  tenant: string,
  { settings: current }: SettingsState,
  input: TenantSettingsInput,
  seal: Seal,
): readonly NewEvent<'TenantSettingsChanged'>[] => {
  const settings = revised(current, input, seal);
  if (settings.unpricedPolicy === 'fallback_price' && settings.fallbackPrice === null) {
    throw new Rejection('required', 'A fallback price has to be set for that policy.', '/fallbackPrice');
  }
  settings.allocation.forEach(({ scope }, index) => {
    if (scopeType(scope) === 'tenant' && scope !== rootScope(tenant)) {
      throw new Rejection('not_found', `There is no scope ${scope} here.`, `/allocation/${index}/scope`);
    }
  });
  return canonicalJson(settings) === canonicalJson(current) ? [] : [{ type: 'TenantSettingsChanged', data: { settings } }];
};

const revised = (current: TenantSettings, input: TenantSettingsInput, seal: Seal): TenantSettings => {
  const one = <K extends keyof TenantSettings>(key: K): TenantSettings[K] => {
    const sent = input[key] as TenantSettings[K] | null | undefined;
    return sent === undefined ? current[key] : (sent ?? DEFAULT_SETTINGS[key]);
  };
  const currency = one('currency');
  return {
    profile: one('profile'),
    adminContact: one('adminContact'),
    defaultChannels: one('defaultChannels'),
    userDefaults: input.userDefaults === null ? DEFAULT_SETTINGS.userDefaults : { ...current.userDefaults, ...given(input.userDefaults) },
    unpricedPolicy: one('unpricedPolicy'),
    fallbackPrice: input.fallbackPrice ? { currency, ...given(input.fallbackPrice) } : one('fallbackPrice'),
    unreservedPolicy: one('unreservedPolicy'),
    alertWindow: one('alertWindow'),
    lateWindow: one('lateWindow'),
    allocation: one('allocation'),
    tenantAdminMayOverride: one('tenantAdminMayOverride'),
    currency,
    litellm: input.litellm ? sealedLitellm(current.litellm, input.litellm, seal) : input.litellm === null ? null : current.litellm,
  };
};

type Litellm = NonNullable<TenantSettings['litellm']>;
const NO_LITELLM: Litellm = { proxyUrl: null, masterKey: null, keys: [], webhookSecret: null, webhookToken: null };

const sealedLitellm = (current: TenantSettings['litellm'], sent: NonNullable<TenantSettingsInput['litellm']>, seal: Seal): Litellm => {
  const before = current ?? NO_LITELLM;
  const secret = (name: 'masterKey' | 'webhookSecret' | 'webhookToken'): string | null => {
    const text = sent[name];
    return text === undefined ? before[name] : text === null ? null : seal(text, name);
  };
  return {
    proxyUrl: sent.proxyUrl === undefined ? before.proxyUrl : sent.proxyUrl,
    masterKey: secret('masterKey'),
    // A LiteLLM key is as good as the money behind it.
    keys: sent.keys === undefined ? before.keys : sent.keys.map((key) => seal(key, 'keys')),
    webhookSecret: secret('webhookSecret'),
    webhookToken: secret('webhookToken'),
  };
};

/** Without what is undefined, which would overwrite. */
const given = <T extends object>(fields: T | undefined): T =>
  Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== undefined)) as T;
