import { z } from 'zod';
import { Problem } from '../../http/problem.js';
import { UsageResults } from '../../http/responses/usage.js';
import { UsageBody, UsageCloudEvent } from '../../http/usage/event.js';
import { LIMITS } from '../../http/usage/limits.js';
import { usageIntakeSubject, usageRecordSubject, usageRejectedSubject } from '../index.js';
import { STREAMS } from '../streams.js';
import type { BusMessage, Channel } from './channel.js';
import { positionHeaders, problemHeaders, receivedHeaders, rejectedHeaders } from './headers.js';

const STRUCTURED = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';

const EXAMPLE = {
  id: 'req-789',
  source: 'relay',
  occurredAt: '2025-01-15T10:00:00Z',
  scopes: ['user:alice', 'team:ml'],
  meter: 'llm.tokens',
  cost: { amount: '0.0125', currency: 'USD' },
  quantities: { inputTokens: '1200', outputTokens: '300' },
  dimensions: { provider: 'openai', model: 'gpt-4o' },
};
const { id, source, occurredAt, ...data } = EXAMPLE;

const attribute = (description: string) => z.string().meta({ description: `CloudEvents attribute, percent-encoded: ${description}` });

/** The same bodies as `POST /usage`. */
const USAGE: readonly BusMessage[] = [
  {
    name: 'usage',
    summary: 'One usage event, or a batch of up to 1,000; what has no Content-Type is this',
    contentType: 'application/json',
    headers: receivedHeaders('application/json').partial(),
    payload: UsageBody,
    examples: [{ name: 'one', payload: EXAMPLE }],
  },
  {
    name: 'usageCloudEvent',
    summary: 'One usage event as a structured CloudEvent',
    contentType: STRUCTURED,
    headers: receivedHeaders(STRUCTURED),
    payload: UsageCloudEvent,
    examples: [{ name: 'one', payload: { specversion: '1.0', type: 'bursar.usage.v1', id, source, time: occurredAt, data } }],
  },
  {
    name: 'usageCloudEventBatch',
    summary: 'Up to 1,000 usage events as CloudEvents',
    contentType: BATCH,
    headers: receivedHeaders(BATCH),
    payload: z.array(UsageCloudEvent).min(1).max(LIMITS.batch),
  },
  {
    name: 'usageBinaryCloudEvent',
    summary: 'One usage event as a binary CloudEvent: attributes in headers, data in the body',
    contentType: 'application/json',
    headers: receivedHeaders(null).extend({
      'ce-specversion': z.literal('1.0'),
      'ce-id': attribute('id'),
      'ce-source': attribute('source'),
      'ce-type': attribute('type').meta({ examples: ['bursar.usage.v1'] }),
      'ce-time': attribute('time').optional(),
      'ce-subject': attribute('subject; a scope here comes first among the scopes').optional(),
    }),
    payload: UsageCloudEvent.shape.data,
  },
];

const tenant = '{tenant}';

export const usageChannels: readonly Channel[] = [
  {
    id: 'usageIngest',
    address: usageIntakeSubject(tenant),
    summary: 'Usage, to be recorded',
    description:
      'Captured by JetStream: its acknowledgement means stored by NATS, not yet by the ledger. Replicas share the durable consumer `ingestion`. ' +
      'What cannot be recorded goes to usage.rejected.<tenant>.',
    action: 'receive',
    operationId: 'ingestUsage',
    messages: USAGE,
    kept: {
      stream: STREAMS.usageIntake,
      messageId: 'The producer’s choice, e.g. `<source>#<id>`. Not needed: an event counts once by its source and id, for ever',
      ordering: 'None is kept or needed; at least once, and each event counts once',
    },
  },
  {
    id: 'usageRecord',
    address: usageRecordSubject(tenant),
    summary: 'Usage, recorded before the reply',
    description: 'Answers what POST /api/v1/usage answers. A result other than `rejected` means durable.',
    action: 'receive',
    operationId: 'recordUsageByRequest',
    messages: USAGE,
    queue: 'ingestion',
    reply: {
      id: 'usageRecordReply',
      summary: 'What became of each event, in request order',
      messages: [
        {
          name: 'usageResults',
          summary: 'A result for each event',
          contentType: 'application/json',
          headers: positionHeaders,
          payload: UsageResults,
        },
        problemMessage('usageProblem'),
      ],
    },
  },
  {
    id: 'usageRejected',
    address: usageRejectedSubject(tenant),
    summary: 'Dead letters: usage from usage.ingest.<tenant> that was refused, whole or in part',
    action: 'send',
    operationId: 'rejectUsage',
    messages: [
      {
        name: 'rejectedUsage',
        summary: 'The message as it was received, whatever it is; its Content-Type is the one it came with',
        contentType: 'application/octet-stream',
        headers: rejectedHeaders,
        payload: z.unknown(),
      },
    ],
    kept: {
      stream: STREAMS.usageRejected,
      messageId: '`<stream>-<sequence>-<timestamp>` of the refused message: put aside once, however often it was delivered',
      ordering: 'As they were refused',
    },
  },
];

/** A refusal of the whole request, marked as NATS services mark errors (ADR-32). */
export function problemMessage(name: string): BusMessage {
  return {
    name,
    summary: 'The request was refused as a whole',
    contentType: 'application/problem+json',
    headers: problemHeaders,
    payload: Problem,
  };
}
