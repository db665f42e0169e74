import { z } from 'zod';
import type { EventDefinition } from '../../events/envelope.js';
import { EVENT_DEFINITIONS } from '../../events/registry.js';
import { Instant } from '../../http/responses/common.js';
import { traceparent, tracestate } from './headers.js';

const decimal = (description: string) =>
  z.string().meta({ description: `${description} (text: a CloudEvents integer has 32 bits)`, pattern: '^[0-9]{1,16}$' });

/** A stored event as it travels: CloudEvents 1.0, JSON format, `data` last (infra/bus writes it). */
export const ledgerCloudEvent = ({ type, version, data }: EventDefinition) =>
  z
    .object({
      specversion: z.literal('1.0'),
      id: z.string().meta({ format: 'uuid', description: 'Stable: derived from what the event is about; the same for ever' }),
      source: z.string().meta({ pattern: '^/bursar/ledger/[0-9]{1,5}$', description: '`/bursar/ledger/<partition>`' }),
      type: z.literal(type),
      subject: z.string().meta({ description: 'The stream it is in' }),
      time: Instant.meta({ description: 'When it was recorded, by the store’s clock' }),
      datacontenttype: z.literal('application/json'),
      traceparent: traceparent.optional(),
      tracestate: tracestate.optional(),
      schemaversion: z.literal(version),
      position: decimal('Its place in the partition, dense from 1'),
      revision: decimal('Its place in the stream, dense from 0'),
      contenthash: z.string().meta({ description: 'SHA-256 of the content as sent, base64', pattern: '^[A-Za-z0-9+/]{43}=$' }),
      meta: z.string().meta({
        contentMediaType: 'application/json',
        description: 'JSON text: tenant, actor, via, correlationId, causationId, traceparent, tracestate',
      }),
      datalength: z.int().min(1).meta({ description: 'UTF-16 code units of `data` as it is in this text' }),
      data,
    })
    .meta({ id: `${type}CloudEvent` });

/** By event type. */
export const LEDGER_CLOUD_EVENTS: ReadonlyMap<string, ReturnType<typeof ledgerCloudEvent>> = new Map(
  [...EVENT_DEFINITIONS.values()].map((definition) => [definition.type, ledgerCloudEvent(definition)]),
);

/** Any event of the ledger. */
export const LedgerCloudEvent = z.union([...LEDGER_CLOUD_EVENTS.values()]).meta({ id: 'LedgerCloudEvent' });
