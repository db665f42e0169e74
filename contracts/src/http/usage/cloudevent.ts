import { readScope } from '../../values/scope.js';
import { readTrace, type Trace } from '../../values/trace-context.js';
import { type IssueCode, makeProblem, type Problem } from '../problem.js';
import { isDictionary } from './parts.js';

/** The CloudEvents `type` of a usage event. */
export const USAGE_TYPE = 'bursar.usage.v1';

/** An envelope opened: usage for `readUsageEvent`, a refusal of this event alone, or no CloudEvent at all. */
export type CloudEventReading = Readonly<
  | { kind: 'usage'; usage: Readonly<Record<string, unknown>>; trace: Trace | null }
  | { kind: 'rejected'; id: unknown; source: unknown; problem: Problem }
  | { kind: 'malformed'; problem: Problem }
>;

/** One strict JSON document; undefined for anything else. */
export type ReadJson = (bytes: Buffer) => unknown;

type Envelope = Readonly<Record<string, unknown>>;

const REQUIRED = ['specversion', 'id', 'source', 'type'] as const;
const JSON_TYPE = /^[a-z0-9.+-]+\/(?:json|[a-z0-9.-]+\+json)(?:\s*;.*)?$/i;

/**
 * A structured CloudEvent 1.0 as usage: `id`, `source` and `time` from the envelope, the rest from `data`; a `subject` that is a
 * scope comes first among the scopes. Extensions are ignored, but a valid `traceparent` with its `tracestate` is handed on. Other types wait for mapping rules (A15).
 */
export const fromCloudEvent = (sent: unknown, readJson: ReadJson): CloudEventReading => {
  if (!isDictionary(sent)) return { kind: 'malformed', problem: makeProblem('not_an_object', 'A CloudEvent is a JSON object') };
  const envelope = withOpenData(withoutNulls(sent), readJson);
  const missing = REQUIRED.filter((name) => typeof envelope[name] !== 'string');
  if (missing.length > 0) {
    return { kind: 'malformed', problem: makeProblem('cloudevent_attribute', `Missing or no string: ${missing.join(', ')}`) };
  }
  const problem = refusal(envelope);
  if (problem !== null) return { kind: 'rejected', id: envelope.id, source: envelope.source, problem };
  const data = envelope.data as Readonly<Record<string, unknown>>;
  const { id, source, time, traceparent, tracestate } = envelope;
  const usage = {
    ...data,
    id,
    source,
    ...(time !== undefined && { occurredAt: time }),
    ...withSubject(envelope.subject, data.scopes),
  };
  return { kind: 'usage', usage, trace: readTrace(traceparent, tracestate) };
};

/** `data_base64` as the `data` it holds: what SDKs make of JSON that they are given as bytes (CloudEvents JSON §3.1.1). */
const withOpenData = (envelope: Envelope, readJson: ReadJson): Envelope => {
  const { data_base64: encoded, ...rest } = envelope;
  if (typeof encoded !== 'string' || !BASE64.test(encoded) || rest.data !== undefined) return envelope;
  const data = readJson(Buffer.from(encoded, 'base64'));
  return data === undefined ? envelope : { ...rest, data };
};

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** In the JSON format an attribute of null is one that is not there (CloudEvents JSON §2.2). */
const withoutNulls = (envelope: Envelope): Envelope => Object.fromEntries(Object.entries(envelope).filter(([, value]) => value !== null));

/** Why an envelope with all its required attributes is refused; null when it is not. */
const refusal = (envelope: Envelope): Problem | null => {
  const { specversion, type, data, datacontenttype } = envelope;
  if (specversion !== '1.0') return one('not_allowed', '/specversion', 'Expected 1.0');
  if (type !== USAGE_TYPE) return one('unknown_type', '/type', `Expected ${USAGE_TYPE}`);
  if (datacontenttype !== undefined && (typeof datacontenttype !== 'string' || !JSON_TYPE.test(datacontenttype))) {
    return one('not_allowed', '/datacontenttype', 'Expected a JSON media type');
  }
  if (envelope.data_base64 !== undefined) {
    return data === undefined
      ? one('wrong_type', '/data_base64', 'Expected JSON in base64')
      : one('exclusive', '/data_base64', 'Beside data');
  }
  if (data === undefined) return one('required', '/data', 'Missing');
  if (!isDictionary(data)) return one('wrong_type', '/data', 'Expected an object');
  // The envelope names the event; a second, different name inside would make its identity a matter of taste.
  for (const [inside, outside] of ENVELOPE_FIELDS) {
    if (data[inside] !== undefined && envelope[outside] !== undefined && data[inside] !== envelope[outside]) {
      return one('exclusive', `/data/${inside}`, `Differs from the envelope's ${outside}`);
    }
  }
  return null;
};

const ENVELOPE_FIELDS = [
  ['id', 'id'],
  ['source', 'source'],
  ['occurredAt', 'time'],
] as const;

const one = (code: IssueCode, pointer: string, message: string): Problem =>
  makeProblem(code, `${pointer}: ${message}`, { errors: [{ pointer, message, code }] });

const withSubject = (subject: unknown, scopes: unknown): { scopes?: unknown } => {
  if (typeof subject !== 'string' || readScope(subject) === null) return {};
  if (scopes === undefined) return { scopes: [subject] };
  return { scopes: Array.isArray(scopes) ? [subject, ...scopes] : scopes };
};
