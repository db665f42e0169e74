import { DEFAULT_PARTITIONS } from '@bursar/contracts';
import { PostgresUrl, ServiceEnv } from '@bursar/platform';
import { z } from 'zod';

/** The environment of this service. */
export const AlertingEnv = ServiceEnv.extend({
  DATABASE_URL: PostgresUrl,
  EVENT_STORE_URL: PostgresUrl,
  /** Without it the store is polled, and no alert topics are published. */
  NATS_URL: z.string().min(1).optional(),
  PARTITIONS: z.coerce.number().int().min(1).max(1_024).default(DEFAULT_PARTITIONS),
});
export type AlertingEnv = z.infer<typeof AlertingEnv>;
