import { Components } from '../http/components.js';
import { EventMoney } from '../http/fields/amount.js';
import { scopeRef } from '../http/fields/scope.js';
import { type BusMessage, type Channel, PARAMETERS } from './channels/channel.js';

type Json = Readonly<Record<string, unknown>>;

/** Named by a `$ref` of a reader's own keywords, so no schema leads to them. */
const NAMED_BY_KEYWORDS = [EventMoney, scopeRef];

/** The AsyncAPI 3.0 document of a table of channels. Pure; the same table, the same text. */
export const asyncApiDocument = (channels: readonly Channel[]): Json => {
  const components = new Components();
  for (const schema of NAMED_BY_KEYWORDS) components.add(schema, 'input');
  const messages: Record<string, Json> = {};
  const define = (message: BusMessage, io: 'input' | 'output'): void => {
    messages[message.name] = messageOf(message, io, components);
  };
  for (const { action, messages: own, reply } of channels) {
    for (const message of own) define(message, action === 'receive' ? 'input' : 'output');
    for (const message of reply?.messages ?? []) define(message, 'output');
  }
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Bursar on NATS',
      version: '1',
      description:
        'Amounts are decimal strings. Events are CloudEvents 1.0 in the JSON format, structured, or in a batch where `Content-Type` says so. ' +
        'Extension attributes beyond those named here may be added. `x-jetstream` says how a stream keeps what is published; ' +
        'sizes and ages are those of an installation that chose no others. `x-built: false` is not built yet.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      nats: {
        host: '{address}',
        protocol: 'nats',
        description: 'nats-server with JetStream',
        variables: { address: { default: 'localhost:4222', description: 'Host and port' } },
        security: [{ $ref: '#/components/securitySchemes/userPassword' }],
      },
    },
    channels: Object.fromEntries(channels.flatMap((channel) => [[channel.id, channelOf(channel)], ...replyOf(channel)])),
    operations: Object.fromEntries(channels.map((channel) => [channel.operationId, operationOf(channel)])),
    components: {
      schemas: components.sorted(),
      messages,
      securitySchemes: { userPassword: { type: 'userPassword', description: 'The credentials in the server’s URL' } },
    },
  };
};

const named = (messages: readonly BusMessage[]): Json =>
  Object.fromEntries(messages.map(({ name }) => [name, { $ref: `#/components/messages/${name}` }]));

const references = (channelId: string, messages: readonly BusMessage[]): readonly Json[] =>
  messages.map(({ name }) => ({ $ref: `#/channels/${channelId}/messages/${name}` }));

const channelOf = ({ address, summary, description, messages, kept, coming }: Channel): Json => ({
  address,
  summary,
  ...(description !== undefined && { description }),
  parameters: Object.fromEntries(
    [...address.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => [name, { description: PARAMETERS[name] ?? name }]),
  ),
  messages: named(messages),
  ...(kept && { 'x-jetstream': { ...kept.stream, messageId: kept.messageId, ordering: kept.ordering } }),
  ...unbuilt(coming),
});

/** Its address is in each request, so the document gives none. */
const replyOf = ({ reply, coming }: Channel): readonly (readonly [string, Json])[] =>
  reply === undefined ? [] : [[reply.id, { address: null, summary: reply.summary, messages: named(reply.messages), ...unbuilt(coming) }]];

const operationOf = ({ id, action, summary, messages, reply, queue, coming }: Channel): Json => ({
  action,
  channel: { $ref: `#/channels/${id}` },
  summary,
  messages: references(id, messages),
  ...(reply && { reply: { channel: { $ref: `#/channels/${reply.id}` }, messages: references(reply.id, reply.messages) } }),
  ...(queue !== undefined && { bindings: { nats: { queue, bindingVersion: '0.1.0' } } }),
  ...unbuilt(coming),
});

const unbuilt = (coming: string | undefined): Json => (coming === undefined ? {} : { 'x-built': false, 'x-coming-with': coming });

const messageOf = (
  { name, summary, contentType, headers, payload, examples }: BusMessage,
  io: 'input' | 'output',
  all: Components,
): Json => ({
  name,
  summary,
  contentType,
  headers: all.add(headers, io),
  payload: all.add(payload, io),
  ...(examples && { examples }),
});
