import {
  contentHash,
  type EpochNs,
  formatInstant,
  MAX_EVENT_PICOS,
  type ReportedAmount,
  readReportedAmount,
  reportedText,
} from '@bursar/contracts';
import type { IssueCode } from '@bursar/contracts/http';
import { type Fields, fieldsOf, labelOf, own } from './fields.js';
import { scopesOfRecord } from './proxy-scopes.js';
import { readProxyTime } from './proxy-time.js';
import { quantitiesOfRecord } from './tokens.js';

export const LITELLM_SOURCE = 'litellm';

/** Why a record is kept in quarantine instead of being counted. */
export type Unusable = Readonly<{ id: string | null; code: IssueCode; detail: string }>;

/** A record as the usage event it stands for (API.md "Usage event"), to be read like any other; or why it stands for none. */
export type RecordReading = Readonly<{ ok: true; usage: Fields; repriceable: boolean } | ({ ok: false } & Unusable)>;

/** Calls that only look up what another call made: that one was paid for (#17814 of BerriAI/litellm: a new id at each look). */
const READS = /^a?(?:get|list|delete|cancel|retrieve)_/;

/**
 * One StandardLoggingPayload. The id is the call's and its type, the asynchronous form of a type being the same call (two callbacks of
 * one call are one event). Prompts, answers, headers and addresses of people are not even looked at.
 */
export const readLogRecord = (value: unknown): RecordReading => {
  const record = fieldsOf(value);
  const metadata = fieldsOf(own(record, 'metadata'));
  const started = readProxyTime(own(record, 'startTime'));
  const ended = readProxyTime(own(record, 'endTime'));
  const { id, isFallback } = idOf(record, metadata, started);
  const refuse = (code: IssueCode, detail: string): RecordReading => ({ ok: false, id, code, detail });
  if (Object.keys(record).length === 0) return refuse('wrong_type', 'A record is an object with fields');
  if (started === null) return refuse('time_format', 'startTime is no time');
  if (ended !== null && ended < started) return refuse('order', 'endTime is before startTime');

  const cost = costOf(record);
  if (typeof cost === 'string') return refuse(...PROBLEMS[cost]);
  const quantities = quantitiesOfRecord(record, metadata);
  const hasTokens = Object.keys(quantities).length > 0;
  const isRead = READS.test(callType(record));
  if (cost === null && !hasTokens && !isRead) return refuse('no_cost', 'Neither a cost nor tokens');
  const isHit = own(record, 'cache_hit') === true || own(record, 'cache_hit') === 'True';
  const failed = own(record, 'status') === 'failure';
  const repriceable = hasTokens && !isHit && !failed && !isRead && cost?.picos === 0n;
  const charged = isRead ? '0' : cost === null ? null : reportedText(cost);
  const model = labelOf(own(record, 'model'), 256);
  return {
    ok: true,
    repriceable,
    usage: {
      id,
      source: LITELLM_SOURCE,
      occurredAt: formatInstant(started),
      scopes: scopesOfRecord(record, metadata),
      meter: 'llm.tokens',
      ...(charged !== null && { cost: { amount: charged, currency: 'USD' } }),
      ...(hasTokens && { quantities }),
      dimensions: compact({
        provider: labelOf(own(record, 'custom_llm_provider'), 256),
        model,
        modelGroup: labelOf(own(record, 'model_group'), 256),
        callType: syncType(callType(record)),
      }),
      status: failed ? 'failed' : 'succeeded',
      metadata: {
        litellm: compact({
          responseCost: cost?.original,
          rounded: cost?.isRounded === true ? true : undefined,
          zeroCost: cost?.picos === 0n && hasTokens && !isHit ? true : undefined,
          cacheHit: isHit ? true : undefined,
          read: isRead ? true : undefined,
          fallbackId: isFallback ? true : undefined,
          traceId: labelOf(own(record, 'trace_id'), 256),
        }),
      },
    },
  };
};

type CostProblem = 'not_a_number' | 'negative' | 'too_large' | 'differing';
const PROBLEMS: Readonly<Record<CostProblem, [code: IssueCode, detail: string]>> = {
  not_a_number: ['amount_format', 'The cost is no number'],
  negative: ['negative', 'A negative cost'],
  too_large: ['too_large', 'A cost past the limit of an event'],
  differing: ['exclusive', 'response_cost and cost differ'],
};

/** `response_cost`, or `cost` as one published sample has it; null when there is neither. Both are one amount or none can be trusted. */
const costOf = (record: Fields): ReportedAmount | null | CostProblem => {
  const costs: ReportedAmount[] = [];
  for (const name of ['response_cost', 'cost']) {
    const cost = readReportedAmount(own(record, name));
    if (cost === 'not_a_number') return cost;
    if (cost === null) continue;
    if (cost.isNegative) return 'negative';
    if (cost.picos > MAX_EVENT_PICOS) return 'too_large';
    costs.push(cost);
  }
  const [first, second] = costs;
  if (first !== undefined && second !== undefined && first.picos !== second.picos) return 'differing';
  return first ?? null;
};

const callType = (record: Fields): string => labelOf(own(record, 'call_type'), 64) ?? 'call';

/** `acompletion` is the asynchronous `completion`; a few names simply begin with an a. */
const syncType = (type: string): string => (/^a(?!udio|ssistant|gent|nthropic|pi)/.test(type) ? type.slice(1) : type);

const idOf = (record: Fields, metadata: Fields, started: EpochNs | null): { id: string; isFallback: boolean } => {
  const type = syncType(callType(record));
  const known = labelOf(own(record, 'call_id'), 200) ?? labelOf(own(record, 'id'), 200);
  if (known !== undefined) return { id: `${known}:${type}`.slice(0, 256), isFallback: false };
  const parts = [
    started === null ? null : formatInstant(started),
    scopesOfRecord(record, metadata),
    labelOf(own(record, 'model'), 256) ?? null,
    quantitiesOfRecord(record, metadata),
    labelOf(own(record, 'trace_id'), 256) ?? null,
  ];
  return { id: `sha256-${contentHash(parts).toString('hex').slice(0, 40)}:${type}`, isFallback: true };
};

const compact = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
