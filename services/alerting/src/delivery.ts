import { type Database, IdempotencyKeys } from '@bursar/database';
import type { EventStore } from '@bursar/event-store';
import { Outgoing } from '@bursar/outgoing';
import { type Logger, Once, SecretBox } from '@bursar/platform';
import type { Provider } from '@nestjs/common';
import type { Kysely } from 'kysely';
import { TemplateMessages } from './adapters/messages.js';
import type { DeliveryMetrics } from './adapters/ops/delivery-metrics.js';
import { ChannelKeys } from './adapters/senders/channel-keys.js';
import { EmailSender } from './adapters/senders/email-sender.js';
import { FileSender } from './adapters/senders/file-sender.js';
import { postWith } from './adapters/senders/post.js';
import { SlackSender } from './adapters/senders/slack-sender.js';
import { smtpSettings } from './adapters/senders/smtp-settings.js';
import { WebhookSender } from './adapters/senders/webhook-sender.js';
import { RouteDeliveries } from './adapters/sql/route-deliveries.js';
import { SqlDeliveries } from './adapters/sql/sql-deliveries.js';
import { SqlDrivers } from './adapters/sql/sql-drivers.js';
import { StoreChannels } from './adapters/store/store-channels.js';
import type { AlertingEnv } from './config.js';
import { Deliver } from './features/delivery/deliver.js';
import { Dispatcher } from './features/delivery/dispatcher.js';
import { LentChannels } from './features/delivery/lent-channels.js';
import { Deliveries, type Senders } from './features/delivery/ports.js';
import { TestChannel } from './features/delivery/test-channel.js';
import type { Effect } from './features/ports.js';

type Opened = Readonly<{ config: AlertingEnv; database: Kysely<Database>; store: EventStore; logger: Logger }>;

/** Where alerts go: what is decided beside them, what sends them, and what is asked for over HTTP. */
export type Delivery = Readonly<{
  effect: Effect;
  dispatcher: Dispatcher;
  deliveries: Deliveries;
  providers: readonly Provider[];
  /** Once there are metrics to count in. */
  countIn: (metrics: DeliveryMetrics) => void;
  close: () => void;
}>;

const SMTP_TIMEOUT_MS = 15_000;

export const openDelivery = ({ config, database, store, logger }: Opened): Delivery => {
  const { senders, close } = openSenders(config);
  const deliveries = new SqlDeliveries(database);
  const drivers = new SqlDrivers(database, (error) =>
    logger.warn({ err: error }, 'top drivers could not be read; messages go out without them'),
  );
  const messages = new TemplateMessages(drivers);
  const channels = new StoreChannels(store);
  const lent = new LentChannels(config.SLACK_WEBHOOK_URL !== undefined);
  let metrics: DeliveryMetrics | null = null;
  const deliver = new Deliver({
    deliveries,
    senders,
    messages,
    lent,
    channels,
    random: Math.random,
    attempted: (type, attempt) => metrics?.attempted(type, attempt),
  });
  const dispatcher = new Dispatcher(deliveries, deliver, logger);
  return {
    effect: new RouteDeliveries({
      lent: (routing) => lent.of(routing.channels(), routing.preferences),
      wake: () => dispatcher.wake(),
    }),
    dispatcher,
    deliveries,
    providers: [
      { provide: Deliveries, useValue: deliveries },
      { provide: Dispatcher, useValue: dispatcher },
      { provide: TestChannel, useValue: new TestChannel(channels, senders, messages, deliveries) },
      { provide: Once, useValue: new Once(new IdempotencyKeys(database)) },
    ],
    countIn: (counted) => {
      metrics = counted;
    },
    close,
  };
};

const openSenders = (config: AlertingEnv): Readonly<{ senders: Senders; close: () => void }> => {
  const keys = new ChannelKeys(SecretBox.of(config.BURSAR_SECRET_KEY, config.BURSAR_ADMIN_KEY));
  const post = postWith(new Outgoing({ allowPrivate: config.WEBHOOK_ALLOW_PRIVATE_TARGETS === '1' }));
  const email = new EmailSender(smtpSettings(config), SMTP_TIMEOUT_MS);
  return {
    senders: {
      webhook: new WebhookSender(post, keys),
      slack: new SlackSender(post, keys, config.SLACK_WEBHOOK_URL),
      email,
      file: new FileSender(config.ALERT_FILES_DIR),
    },
    close: () => email.close(),
  };
};
