import { DEFAULT_PARTITIONS } from '@bursar/contracts';
import { PostgresUrl, ServiceEnv } from '@bursar/platform';
import { z } from 'zod';

/** The environment of this service. */
export const SchedulerEnv = ServiceEnv.extend({
  DATABASE_URL: PostgresUrl,
  EVENT_STORE_URL: PostgresUrl,
  NATS_URL: z.string().min(1).optional(),
  PARTITIONS: z.coerce.number().int().min(1).max(1_024).default(DEFAULT_PARTITIONS),
  /** Budgets that each process ends and opens per second, past the first 1,000 due at once. */
  RESETS_PER_SECOND: z.coerce.number().int().min(1).max(1_000_000).default(5_000),
});
export type SchedulerEnv = z.infer<typeof SchedulerEnv>;
