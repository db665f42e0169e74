import { isPlainText } from '../../values/scope.js';
import type { Trace } from '../../values/trace-context.js';
import { makeProblem, type Problem } from '../problem.js';
import { type CloudEventReading, fromCloudEvent, type ReadJson } from './cloudevent.js';
import { LIMITS } from './limits.js';
import { isDictionary } from './parts.js';
import { readUsageEvent } from './read.js';
import type { SentUsage } from './sent.js';

/** How a body carries usage: by its content type (HTTP) or header (NATS). Binary mode is made structured first. */
export type UsageMode = 'json' | 'cloudevent' | 'cloudevent-batch';

/** One event of a body, in request order; `trace` is one it brought itself. `id` and `source` are as sent, null where they cannot be repeated. */
export type UsageItem = Readonly<
  { id: string | null; source: string | null } & ({ sent: SentUsage; trace?: Trace } | { problem: Problem })
>;

export type UsageBodyReading = Readonly<{ ok: true; items: readonly UsageItem[] } | { ok: false; problem: Problem }>;

/**
 * All events of a parsed body. `ok: false` only for what spoils the body as a whole (API.md "Usage"); whatever is wrong inside an
 * event is that item's problem and sinks nobody else. `readJson` opens data that comes as bytes.
 */
export const readUsageBody = (mode: UsageMode, body: unknown, readJson: ReadJson): UsageBodyReading => {
  if (mode === 'cloudevent-batch') return readCloudEvents(body, readJson);
  if (!isDictionary(body)) return { ok: false, problem: makeProblem('not_an_object', 'Expected a JSON object') };
  if (mode === 'cloudevent') return readSingle(body, readJson);
  return 'events' in body ? readEvents(body) : { ok: true, items: [plainItem(body)] };
};

const readEvents = (body: Readonly<Record<string, unknown>>): UsageBodyReading => {
  const other = Object.keys(body).find((key) => key !== 'events');
  if (other === undefined) return readBatch(body.events, plainItem);
  // An event has no field `events` and a batch has no other: whichever was meant, nothing in it can be trusted.
  const message = `Unknown field ${JSON.stringify(other.slice(0, 64))} beside events`;
  return {
    ok: false,
    problem: makeProblem('unknown_field', message, { errors: [{ pointer: `/${other.slice(0, 64)}`, message, code: 'unknown_field' }] }),
  };
};

const readBatch = (events: unknown, item: (event: unknown, index: number) => UsageItem): UsageBodyReading => {
  if (!Array.isArray(events)) return { ok: false, problem: makeProblem('batch_size', 'Expected an array of events') };
  if (events.length === 0 || events.length > LIMITS.batch) {
    return { ok: false, problem: makeProblem('batch_size', `A batch holds 1 to ${LIMITS.batch} events, not ${events.length}`) };
  }
  return { ok: true, items: events.map(item) };
};

/** One that lacks what every CloudEvent has is no CloudEvent, and spoils its batch (API.md "Usage"). */
const readCloudEvents = (events: unknown, readJson: ReadJson): UsageBodyReading => {
  const opened = Array.isArray(events) && events.length <= LIMITS.batch ? events.map((event) => fromCloudEvent(event, readJson)) : [];
  for (const [index, one] of opened.entries()) {
    if (one.kind === 'malformed') return { ok: false, problem: { ...one.problem, detail: `/${index}: ${one.problem.detail}` } };
  }
  return readBatch(events, (_, index) => cloudEventItem(opened[index] as Opened));
};

const readSingle = (body: unknown, readJson: ReadJson): UsageBodyReading => {
  const opened = fromCloudEvent(body, readJson);
  return opened.kind === 'malformed' ? { ok: false, problem: opened.problem } : { ok: true, items: [cloudEventItem(opened)] };
};

const plainItem = (event: unknown): UsageItem => {
  const reading = readUsageEvent(event);
  if (reading.ok) return { id: reading.sent.id, source: reading.sent.source, sent: reading.sent };
  const named = isDictionary(event) ? event : {};
  return { ...names(named.id, named.source), problem: reading.problem };
};

type Opened = Exclude<CloudEventReading, { kind: 'malformed' }>;

const cloudEventItem = (opened: Opened): UsageItem => {
  if (opened.kind === 'rejected') return { ...names(opened.id, opened.source), problem: opened.problem };
  const item = plainItem(opened.usage);
  if ('problem' in item) return { ...item, problem: inEnvelope(item.problem) };
  return opened.trace === null ? item : { ...item, trace: opened.trace };
};

const names = (id: unknown, source: unknown): { id: string | null; source: string | null } => ({
  id: isPlainText(id, LIMITS.id) ? id : null,
  source: isPlainText(source, LIMITS.source) ? source : null,
});

/** Pointers of a usage event as pointers into the CloudEvent it came in. */
const inEnvelope = (problem: Problem): Problem => ({
  ...problem,
  ...(problem.errors && {
    errors: problem.errors.map((error) => ({ ...error, pointer: envelopePointer(error.pointer) })),
  }),
});

const envelopePointer = (pointer: string): string => {
  if (pointer === '/id' || pointer === '/source') return pointer;
  return pointer === '/occurredAt' ? '/time' : `/data${pointer}`;
};
