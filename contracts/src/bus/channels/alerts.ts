import { z } from 'zod';
import { Alert } from '../../http/responses/budget.js';
import { Instant } from '../../http/responses/common.js';
import { STREAMS } from '../streams.js';
import type { Channel } from './channel.js';
import { sentHeaders, traceparent, tracestate } from './headers.js';

const AlertCloudEvent = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string().meta({ description: 'The alert’s id: the same for ever, however often it comes' }),
    source: z.string().meta({ pattern: '^/bursar/alerts/[A-Za-z0-9_-]{1,64}$', description: '`/bursar/alerts/<tenant>`' }),
    type: z.string().meta({ pattern: '^bursar\\.[a-z]+\\.[a-z_]+\\.v1$', examples: ['bursar.threshold.crossed.v1'] }),
    subject: z.string().optional(),
    time: Instant,
    datacontenttype: z.literal('application/json'),
    traceparent: traceparent.optional(),
    tracestate: tracestate.optional(),
    revision: z.string().meta({ pattern: '^[0-9]{1,16}$', description: 'Its place among the tenant’s alerts, gap-free from 0' }),
    data: Alert,
  })
  .meta({ id: 'AlertCloudEvent' });

const SINGLE = 'application/cloudevents+json';

export const alertChannels: readonly Channel[] = [
  {
    id: 'alerts',
    address: 'alerts.{tenant}.{severity}.{scopeType}.{scopeToken}.{budgetId}',
    summary: 'Alerts of a tenant; subscribe to as many tokens as matter',
    action: 'send',
    operationId: 'publishAlert',
    messages: [
      {
        name: 'alert',
        summary: 'A structured CloudEvent',
        contentType: SINGLE,
        headers: sentHeaders(SINGLE, 'The alert’s id'),
        payload: AlertCloudEvent,
      },
    ],
    kept: {
      stream: STREAMS.alerts,
      messageId: 'The alert’s id',
      ordering: 'By revision, which has no gaps; at least once',
    },
  },
];
