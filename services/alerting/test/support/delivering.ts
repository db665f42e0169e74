import { randomUUID } from 'node:crypto';
import { type StoredChannel, tenantStream } from '@bursar/contracts';
import type { DeliveryStatus, StoredDelivery } from '@bursar/database';
import { SecretBox, type Service } from '@bursar/platform';
import { bootAlerting } from '../../src/boot.js';
import { AlertingEnv } from '../../src/config.js';
import { type Told, tell, told } from './events.js';
import { budgetCreated, crossed } from './make.js';
import { eventually, type World } from './world.js';

/** A service that may call receivers of the test. */
export const bootDelivering = async (world: World, more: Readonly<Record<string, string>> = {}): Promise<Service> => {
  const service = await bootAlerting(AlertingEnv.parse({ ...world.env, WEBHOOK_ALLOW_PRIVATE_TARGETS: '1', ...more }));
  await service.start();
  return service;
};

export const freshTenant = (): string => `t-${randomUUID().slice(0, 18)}`;
export const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
export const OTHER_SECRET = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;

type Made = Omit<Partial<StoredChannel>, 'secrets'> & Readonly<{ type: StoredChannel['type']; secrets?: readonly string[] }>;

/** What the api appends when a channel is made: named after its type unless told. */
export const channelSaved = (world: World, tenant: string, { secrets, url, ...channel }: Made): Told<'ChannelSaved'> => {
  const channelId = channel.channelId ?? randomUUID();
  const box = SecretBox.of(undefined, world.env.BURSAR_ADMIN_KEY ?? '');
  const seal = (text: string): string => box.seal(text, ['channel', tenant, channelId]);
  const sealed = secrets ?? (channel.type === 'webhook' ? [SECRET] : undefined);
  const data: StoredChannel = {
    name: channel.type,
    ...channel,
    channelId,
    ...(url !== undefined && (channel.type === 'slack' ? { sealedUrl: seal(url) } : { url })),
    ...(sealed !== undefined && { secrets: sealed.map(seal) }),
  };
  return told({ type: 'ChannelSaved', stream: tenantStream(tenant), tenant, data }) as Told<'ChannelSaved'>;
};

/** Tells of a budget `b1` and of one crossing of it, and waits for nothing. Answers the alert's id. */
export const raise = async (world: World, tenant: string, ...more: Parameters<typeof crossed>[2][]): Promise<string> => {
  const crossings = (more.length === 0 ? [{}] : more).map((one) => crossed(tenant, 'b1', one));
  const answers = await tell(world.store, [budgetCreated(tenant, 'b1'), ...crossings]);
  return answers.at(-1)?.id ?? '';
};

export const deliveriesOf = (world: World, tenant: string): Promise<readonly StoredDelivery[]> =>
  world.db.selectFrom('alerting.delivery').selectAll().where('tenant', '=', tenant).orderBy('position').orderBy('channel_name').execute();

/** Waits until the tenant has exactly these deliveries by status, in order of position and channel; answers them. */
export const deliveredAs = async (
  world: World,
  tenant: string,
  statuses: readonly DeliveryStatus[],
): Promise<readonly StoredDelivery[]> => {
  let found: readonly StoredDelivery[] = [];
  await eventually(async () => {
    found = await deliveriesOf(world, tenant);
    return found.length === statuses.length && found.every(({ status }, index) => status === statuses[index]);
  }).catch(() => {
    throw new Error(
      `deliveries are ${JSON.stringify(found.map(({ channel_name, status, attempts }) => ({ channel_name, status, attempts })))}`,
    );
  });
  return found;
};
