import { DEFAULT_PARTITIONS, readDuration } from '@bursar/contracts';
import { PostgresUrl, SecretKeyEnv, ServiceEnv } from '@bursar/platform';
import { z } from 'zod';

/** `35d`, `2000d`: elapsed time only, so nothing a calendar would stretch. */
const Age = z.string().transform((text, context) => {
  const seconds = secondsOf(text);
  if (seconds === null) context.addIssue({ code: 'custom', message: 'expected a duration such as 35d' });
  return seconds ?? 0;
});

const secondsOf = (text: string): number | null => {
  const match = /^([1-9][0-9]{0,5})([smhdw])$/.exec(text);
  if (match === null || readDuration(text) === null) return null;
  const [, count, unit] = match;
  return Number(count) * ({ s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 }[unit ?? 's'] ?? 1);
};

/** The environment of this service. */
export const IngestionEnv = ServiceEnv.extend({
  ...SecretKeyEnv,
  EVENT_STORE_URL: PostgresUrl,
  DATABASE_URL: PostgresUrl,
  NATS_URL: z.string().min(1).optional(),
  /** Where the api is reached: services discovery on NATS names the AsyncAPI document there. */
  API_URL: z.string().min(1).optional(),
  PARTITIONS: z.coerce.number().int().min(1).max(1_024).default(DEFAULT_PARTITIONS),
  /** What LiteLLM's budget webhook is signed with, and tenants' tokens are derived from; without it nothing of LiteLLM is taken but by key. */
  LITELLM_WEBHOOK_SECRET: z.string().min(1).optional(),
  /** Usage older than this is rejected, `too_old`. In seconds once parsed. */
  MAX_EVENT_AGE: Age.prefault('35d'),
});
export type IngestionEnv = z.infer<typeof IngestionEnv>;
