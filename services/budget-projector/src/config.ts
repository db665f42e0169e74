import { DEFAULT_PARTITIONS } from '@bursar/contracts';
import { PostgresUrl, ServiceEnv } from '@bursar/platform';
import { z } from 'zod';

/** The environment of this service. */
export const ProjectorEnv = ServiceEnv.extend({
  DATABASE_URL: PostgresUrl,
  EVENT_STORE_URL: PostgresUrl,
  NATS_URL: z.string().min(1).optional(),
  PARTITIONS: z.coerce.number().int().min(1).max(1_024).default(DEFAULT_PARTITIONS),
});
export type ProjectorEnv = z.infer<typeof ProjectorEnv>;
