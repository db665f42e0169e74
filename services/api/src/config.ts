import { DEFAULT_PARTITIONS } from '@bursar/contracts';
import { PostgresUrl, ServiceEnv } from '@bursar/platform';
import { z } from 'zod';

/** One address or several, comma separated. */
const urls = z.string().regex(/^https?:\/\/[^\s,]+(?:,\s*https?:\/\/[^\s,]+)*$/);

/** The environment of this service. */
export const ApiEnv = ServiceEnv.extend({
  EVENT_STORE_URL: PostgresUrl,
  DATABASE_URL: PostgresUrl,
  NATS_URL: z.string().min(1).optional(),
  PARTITIONS: z.coerce.number().int().min(1).max(1_024).default(DEFAULT_PARTITIONS),
  /** Where usage is passed on to. */
  INGESTION_URL: urls.optional(),
  /** Where check, reserve and release are passed on to. */
  PROJECTOR_URL: urls.optional(),
});
export type ApiEnv = z.infer<typeof ApiEnv>;
