import { DEFAULT_PARTITIONS } from '@bursar/contracts';
import { PostgresUrl, ServiceEnv } from '@bursar/platform';
import { z } from 'zod';

/** The environment of this service. */
export const ProjectorEnv = ServiceEnv.extend({
  DATABASE_URL: PostgresUrl,
  EVENT_STORE_URL: PostgresUrl,
  NATS_URL: z.string().min(1).optional(),
  /** How long a partition stays with a process that does not answer any more. Renewed six times as often. */
  PARTITION_LEASE_MS: z.coerce.number().int().min(500).max(60_000).default(3_000),
  /** Where other replicas ask this one for decisions; default: HOST and PORT as it listens, by the machine's name where HOST is any. */
  ENFORCEMENT_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Where the AsyncAPI document is served, for NATS services discovery. */
  API_URL: z.url({ protocol: /^https?$/ }).optional(),
  PARTITIONS: z.coerce.number().int().min(1).max(1_024).default(DEFAULT_PARTITIONS),
});
export type ProjectorEnv = z.infer<typeof ProjectorEnv>;
