/** A place in a trace (W3C Trace Context): lower-case hex, never all zeros; `flags` are those of level 2 (1 sampled, 2 random id). */
export type TraceContext = Readonly<{ traceId: string; spanId: string; flags: number }>;

/** The same as it travels: in headers of HTTP and NATS, in an event's meta, as CloudEvents extensions. */
export type Trace = Readonly<{ traceparent: string; tracestate?: string }>;

/** What a `tracestate` must be able to hold, and at most holds here: every event of a request keeps its own copy. */
const MAX_LENGTH = 512;
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;
/** Flags that this version knows; the others are not handed on (W3C Trace Context §3.2.2.5). */
const KNOWN_FLAGS = 0x03;

/** null for anything that is no `traceparent`. A later version is read by its first four fields, as the standard asks. */
export const parseTraceparent = (text: unknown): TraceContext | null => {
  const match = typeof text === 'string' && text.length <= MAX_LENGTH ? TRACEPARENT.exec(text) : null;
  if (match === null) return null;
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match;
  if (version === 'ff' || (version === '00' && rest !== undefined) || ZEROS.test(traceId) || ZEROS.test(spanId)) return null;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) & KNOWN_FLAGS };
};

/** In version 00, whatever it came in. */
export const formatTraceparent = ({ traceId, spanId, flags }: TraceContext): string =>
  `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;

const MAX_MEMBERS = 32;
const MEMBER = /^([a-z0-9][a-z0-9_\-*/@]{0,255})=([\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e])$/;

/** Without the spaces and empty members that are allowed around commas; null when it is empty or not valid. */
export const readTracestate = (text: unknown): string | null => {
  if (typeof text !== 'string' || text.length > MAX_LENGTH) return null;
  const members = text.split(',').flatMap((member) => member.replace(/^[ \t]+|[ \t]+$/g, '') || []);
  const keys = new Set(members.map((member) => MEMBER.exec(member)?.[1]));
  if (members.length === 0 || members.length > MAX_MEMBERS || keys.size < members.length || keys.has(undefined)) return null;
  return members.join(',');
};

/** What somebody sent as his trace; null when there is none, or none that is valid. Without a trace its state means nothing. */
export const readTrace = (traceparent: unknown, tracestate: unknown): Trace | null => {
  const context = parseTraceparent(traceparent);
  if (context === null) return null;
  const state = readTracestate(tracestate);
  return { traceparent: formatTraceparent(context), ...(state !== null && { tracestate: state }) };
};

/** The trace as seen from a span of ours below the sender's. `spanId`: 16 hex digits, made where chance is allowed. */
export const childTrace = (trace: Trace, spanId: string): Trace => {
  const context = parseTraceparent(trace.traceparent);
  return context === null ? trace : { ...trace, traceparent: formatTraceparent({ ...context, spanId }) };
};
