import { DEFAULT_PARTITIONS } from '@bursar/contracts';
import { PostgresUrl, SecretKeyEnv, ServiceEnv } from '@bursar/platform';
import { z } from 'zod';

/** The environment of this service. */
export const AlertingEnv = ServiceEnv.extend({
  DATABASE_URL: PostgresUrl,
  EVENT_STORE_URL: PostgresUrl,
  /** Without it the store is polled, and no alert topics are published. */
  NATS_URL: z.string().min(1).optional(),
  /** Where mail is handed over; without it and SMTP_HOST e-mail is not configured. */
  SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  SMTP_HOST: z.string().min(1).optional(),
  SMTP_PORT: z.coerce.number().int().min(1).max(65_535).optional(),
  SMTP_USER: z.string().optional(),
  SMTP_PASSWORD: z.string().optional(),
  MAIL_FROM: z.string().min(3).optional(),
  /** The Slack channel of tenants that have none of their own. */
  SLACK_WEBHOOK_URL: z.url().optional(),
  /** Below it, in a directory of its own, a tenant's alerts may be written to files. */
  ALERT_FILES_DIR: z.string().min(1).optional(),
  /** 1: loopback and private targets, `http:` and any port are called. */
  WEBHOOK_ALLOW_PRIVATE_TARGETS: z.enum(['0', '1']).default('0'),
  ...SecretKeyEnv,
  PARTITIONS: z.coerce.number().int().min(1).max(1_024).default(DEFAULT_PARTITIONS),
});
export type AlertingEnv = z.infer<typeof AlertingEnv>;
