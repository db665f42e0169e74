import { isTenantId, type Trace } from '@bursar/contracts';
import {
  isBinaryCloudEvent,
  makeProblem,
  type Problem,
  readUsageBody,
  toStructured,
  type UsageItem,
  type UsageMode,
} from '@bursar/contracts/http';
import { Problem as ProblemError, readJson, readMediaType, tryReadJson } from '@bursar/platform';
import type { Msg, MsgHdrs } from '@nats-io/transport-node';

/** What a message says, or why it says nothing as a whole. The tenant is the subject's: nothing inside a message can change it. */
export type IntakeReading = Readonly<{ ok: true; tenant: string; items: readonly UsageItem[] } | { ok: false; problem: Problem }>;

const MODES: Readonly<Record<string, UsageMode>> = {
  'application/json': 'json',
  'application/cloudevents+json': 'cloudevent',
  'application/cloudevents-batch+json': 'cloudevent-batch',
};

/** Subjects are `usage.<what>.<tenant>`. */
export const tenantOf = (subject: string): string => subject.slice(subject.lastIndexOf('.') + 1);

/**
 * Reads a message as `POST /usage` reads a body; without a Content-Type header it is plain JSON. Events that bring no trace of their
 * own are of the message's. Never throws.
 */
export const readIntake = (message: Pick<Msg, 'subject' | 'headers' | 'data'>, trace: Trace | null): IntakeReading => {
  const { subject, headers, data } = message;
  const tenant = tenantOf(subject);
  if (!isTenantId(tenant)) return refuse(makeProblem('tenant', 'The last token of the subject is not a tenant id.'));
  const named = lowerCased(headers);
  const mode = named['content-type'] === undefined ? 'json' : MODES[readMediaType(named['content-type']) ?? ''];
  if (mode === undefined) return refuse(makeProblem('unsupported_media_type', `Content-Type is none of ${Object.keys(MODES).join(', ')}.`));
  const body = parse(data);
  if (!body.ok) return body;
  const binary = mode === 'json' && isBinaryCloudEvent(named);
  const content = binary ? toStructured(named, body.value) : body.value;
  if (namesAnotherTenant(content, tenant)) return refuse(makeProblem('tenant', 'The event names another tenant than its subject.'));
  const reading = readUsageBody(binary ? 'cloudevent' : mode, content, tryReadJson);
  return reading.ok ? { ok: true, tenant, items: trace === null ? reading.items : traced(reading.items, trace) } : reading;
};

const traced = (items: readonly UsageItem[], trace: Trace): readonly UsageItem[] =>
  items.map((item) => ('sent' in item && item.trace === undefined ? { ...item, trace } : item));

const refuse = (problem: Problem): IntakeReading => ({ ok: false, problem });

const parse = (data: Uint8Array): Readonly<{ ok: true; value: unknown } | { ok: false; problem: Problem }> => {
  try {
    return { ok: true, value: readJson(Buffer.from(data.buffer, data.byteOffset, data.byteLength)) };
  } catch (error) {
    if (error instanceof ProblemError) return { ok: false, problem: makeProblem(error.code, error.detail) };
    throw error;
  }
};

/** The CloudEvents extension `tenantid` (IN-E3). Plain JSON has no such field, and is refused by its unknown name. */
const namesAnotherTenant = (content: unknown, tenant: string): boolean => {
  const events = Array.isArray(content) ? content : [content];
  return events.some((event: unknown) => {
    const named = typeof event === 'object' && event !== null ? (event as { tenantid?: unknown; specversion?: unknown }) : {};
    return named.specversion !== undefined && named.tenantid !== undefined && named.tenantid !== tenant;
  });
};

const lowerCased = (headers: MsgHdrs | undefined): Record<string, string> => {
  const named: Record<string, string> = {};
  for (const key of headers?.keys() ?? []) named[key.toLowerCase()] ??= headers?.get(key) ?? '';
  return named;
};
