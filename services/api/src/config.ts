import { DEFAULT_PARTITIONS } from '@bursar/contracts';
import { PostgresUrl, SecretKeyEnv, ServiceEnv } from '@bursar/platform';
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
  /** Where deliveries are replayed and channels tested. */
  ALERTING_URL: urls.optional(),
  /** 1: channels may name loopback and private targets, `http:` and any port. */
  WEBHOOK_ALLOW_PRIVATE_TARGETS: z.enum(['0', '1']).default('0'),
  ...SecretKeyEnv,
});
export type ApiEnv = z.infer<typeof ApiEnv>;
