import type { AlertRaisedData, StoredChannel, TenantSettings } from '@bursar/contracts';

/** Where one alert goes. `channelId` of what nobody set up: {@link unconfigured}; `unknown`: a name tells no type. */
export type Route = Readonly<{ channelId: string; type: StoredChannel['type'] | 'unknown'; name: string }>;

const TYPES: readonly StoredChannel['type'][] = ['webhook', 'slack', 'email', 'file'];
const SEVERITIES: readonly AlertRaisedData['severity'][] = ['info', 'warning', 'critical'];

/** Stands for a channel of the type or name that the tenant has not; deliveries to it tell what would have been sent. */
export const unconfigured = (typeOrName: string): string => `unconfigured:${typeOrName}`;
export const isUnconfigured = (channelId: string): boolean => channelId.startsWith('unconfigured:');

/**
 * Pure: the channels of an alert, each once. What its threshold chose by names or types; without that the tenant's `defaultChannels`;
 * without those every channel. Of these the ones that want this event and severity; a channel that chose no events hears of a boundary
 * once, by the report of the period that ended. (The tenant profile says "Budget Reset" as well, PRODUCT D6 [T].) A type that was chosen and that the tenant has no
 * channel of is not forgotten silently; a name that no channel has any more chooses nothing.
 */
export const routeAlert = (
  alert: Pick<AlertRaisedData, 'event' | 'severity' | 'channels'>,
  channels: readonly StoredChannel[],
  { defaultChannels, profile }: Readonly<{ defaultChannels: readonly string[]; profile: TenantSettings['profile'] }>,
): readonly Route[] => {
  const chosen = alert.channels ?? (defaultChannels.length > 0 ? defaultChannels : undefined);
  const named = chosen === undefined ? channels : channels.filter(({ name, type }) => chosen.includes(name) || chosen.includes(type));
  const missing = [...new Set(chosen)].filter((one) => !channels.some(({ type, name }) => type === one || name === one));
  return [
    ...named.filter((channel) => wants(channel, alert, profile)).map(({ channelId, type, name }) => ({ channelId, type, name })),
    ...missing.map((name): Route => ({ channelId: unconfigured(name), type: TYPES.find((type) => type === name) ?? 'unknown', name })),
  ];
};

const wants = (
  { events, minSeverity }: StoredChannel,
  { event, severity }: Pick<AlertRaisedData, 'event' | 'severity'>,
  profile: TenantSettings['profile'],
): boolean =>
  (events?.includes(event) ?? (event !== 'period.started' || profile === 'tenant')) &&
  (minSeverity === undefined || SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(minSeverity));
