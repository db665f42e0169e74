import { z } from 'zod';
import { AppendNotice } from '../append-notice.js';
import { eventsSubject, KEPT_INSIDE, MAX_RANGE_BYTES, MAX_RANGE_EVENTS } from '../index.js';
import { STREAMS } from '../streams.js';
import type { Channel } from './channel.js';
import { rangeHeaders, sentHeaders } from './headers.js';
import { LEDGER_CLOUD_EVENTS, LedgerCloudEvent } from './ledger-cloud-event.js';

const SINGLE = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';

/** There is so much of it that it travels in batches. */
const BATCHED: ReadonlySet<string> = new Set(['UsageRecorded']);

const ledger: Channel = {
  id: 'ledger',
  address: 'ledger.{partition}',
  summary: 'Internal: what appends stored; appends that nobody waits for share a message',
  description:
    `At most ${MAX_RANGE_EVENTS} events and ${MAX_RANGE_BYTES} bytes. A longer append is announced by an empty batch: consumers read it from the store. ` +
    'Compare Bursar-Link with the store’s before you believe a message. Others than Bursar’s services should take events.<tenant>.>.',
  action: 'send',
  operationId: 'publishRange',
  messages: [
    {
      name: 'ledgerRange',
      summary: 'The events of consecutive positions, in order',
      contentType: BATCH,
      headers: rangeHeaders(BATCH),
      payload: z.array(LedgerCloudEvent).max(MAX_RANGE_EVENTS),
    },
  ],
  kept: {
    stream: STREAMS.ledger,
    messageId: '`ledger/<partition>/<first>-<last>`',
    ordering: 'Ranges may come out of order, overlap or be missing: go by the positions, read gaps from the store',
  },
};

const appended: Channel = {
  id: 'appended',
  address: 'appended.{partition}',
  summary: 'Internal: that something was appended, in a small message; appends of one moment are told together',
  description:
    'For followers that have a use for few types of events: they look into the event store, and take no ranges. ' +
    'A notice may be lost, late or wrong: it only says when to look.',
  action: 'send',
  operationId: 'publishAppendNotice',
  messages: [
    {
      name: 'appendNotice',
      summary: 'How far, and of which types',
      contentType: 'application/json',
      headers: z.looseObject({}),
      payload: AppendNotice,
    },
  ],
};

const fanOut = (type: string): Channel => {
  const event = LEDGER_CLOUD_EVENTS.get(type);
  if (event === undefined) throw new RangeError(`no event ${type}`);
  const batched = BATCHED.has(type);
  const contentType = batched ? BATCH : SINGLE;
  const messageId = batched ? '`events/<partition>/<tenant>/<first>-<last>`' : 'The event’s id';
  return {
    id: `events${type}`,
    address: eventsSubject('{tenant}', type),
    summary: `${type}, ${batched ? 'in batches' : 'one per message'}`,
    action: 'send',
    operationId: `publish${type}`,
    messages: [
      {
        name: batched ? `${type}Batch` : type,
        summary: batched ? `At most ${MAX_RANGE_EVENTS} events in position order` : 'A structured CloudEvent',
        contentType,
        headers: sentHeaders(contentType, messageId),
        payload: batched ? z.array(event).min(1).max(MAX_RANGE_EVENTS) : event,
      },
    ],
    kept: {
      stream: STREAMS.events,
      messageId,
      ordering: 'In position order per tenant and type; at least once: the same event again has the same id',
    },
  };
};

export const ledgerChannels: readonly Channel[] = [
  ledger,
  appended,
  ...[...LEDGER_CLOUD_EVENTS.keys()].filter((type) => !KEPT_INSIDE.has(type)).map(fanOut),
];
