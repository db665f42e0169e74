import { Parser } from '@asyncapi/parser';
import { describe, expect, test } from '@jest/globals';
import { EVENT_DEFINITIONS } from '../events/registry.js';
import { readUsageBody, type UsageMode } from '../http/usage/body.js';
import { asyncApiDocument } from './asyncapi.js';
import { CHANNELS } from './channels/table.js';
import { KEPT_INSIDE } from './index.js';

type Reference = Readonly<{ $ref: string }>;
type Document = Readonly<{
  channels: Record<string, { address: string | null; parameters?: object; messages: Record<string, Reference>; 'x-built'?: boolean }>;
  operations: Record<string, { action: string; channel: Reference; messages: Reference[]; reply?: object; bindings?: unknown }>;
  components: { messages: Record<string, { contentType: string; examples?: { payload: unknown }[] }>; schemas: Record<string, unknown> };
}>;

const document = JSON.parse(JSON.stringify(asyncApiDocument(CHANNELS))) as Document;

/** What the parser calls an error or a warning. Telling of AsyncAPI 3.1 is an information. */
const complaints = async (text: unknown): Promise<readonly string[]> => {
  const found = await new Parser().validate(JSON.stringify(text));
  return found.filter(({ severity }) => severity <= 1).map(({ path, message }) => `${path.join('/')}: ${message}`);
};

describe('the document', () => {
  test('is valid AsyncAPI 3.0', async () => {
    expect(await complaints(document)).toEqual([]);
  });

  test.each([
    ['an operation on no channel', { operations: { ...document.operations, x: { action: 'send', channel: { $ref: '#/channels/none' } } } }],
    [
      'a binding that NATS has not',
      { operations: { x: { action: 'send', channel: { $ref: '#/channels/ledger' }, bindings: { nats: { subject: 'x' } } } } },
    ],
    ['a version that does not exist', { asyncapi: '3.9.0' }],
  ])(
    'is not valid with %s, so the validator looks',
    async (_what, broken) => {
      expect(await complaints({ ...document, ...broken })).not.toEqual([]);
    },
    30_000,
  );

  test('every reference leads somewhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
    const missing = references.filter(
      (path) => path.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document) === undefined,
    );
    expect(references.length).toBeGreaterThan(60);
    expect([...new Set(missing)]).toEqual([]);
  });
});

describe('the table', () => {
  test('names each channel, operation and address once', () => {
    const replies = CHANNELS.flatMap(({ reply }) => (reply === undefined ? [] : [reply.id]));
    for (const names of [
      [...CHANNELS.map(({ id }) => id), ...replies],
      CHANNELS.map(({ operationId }) => operationId),
      CHANNELS.map(({ address }) => address),
    ]) {
      expect(names).toEqual([...new Set(names)]);
    }
    expect(Object.keys(document.channels)).toHaveLength(CHANNELS.length + replies.length);
  });

  test('has the subjects of API.md', () => {
    const built = CHANNELS.filter(({ coming }) => coming === undefined).map(({ address }) => address);
    const types = [...EVENT_DEFINITIONS.keys()].filter((type) => !KEPT_INSIDE.has(type));
    expect(built.sort()).toEqual(
      [
        'usage.ingest.{tenant}',
        'usage.record.{tenant}',
        'usage.rejected.{tenant}',
        'ledger.{partition}',
        'appended.{partition}',
        'budgets.{tenant}.check',
        'budgets.{tenant}.reserve',
        'budgets.{tenant}.release',
        'alerts.{tenant}.{severity}.{scopeType}.{scopeToken}.{budgetId}',
        ...types.map((type) => `events.{tenant}.${type}`),
      ].sort(),
    );
  });

  test('what is not built says so, on its reply too', () => {
    const unbuilt = Object.entries(document.channels).filter(([, channel]) => channel['x-built'] === false);
    expect(unbuilt.map(([id]) => id)).toEqual(CHANNELS.filter(({ coming }) => coming !== undefined).map(({ id }) => id));
  });

  test('every subject lies in the stream that is said to keep it', () => {
    for (const { address, kept } of CHANNELS) {
      if (kept === undefined) continue;
      const subject = address.replaceAll(/\{\w+\}/g, 'x');
      expect([subject, kept.stream.subjects.some((pattern) => matches(pattern, subject))]).toEqual([subject, true]);
    }
  });
});

const matches = (pattern: string, subject: string): boolean =>
  new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^.]+').replaceAll('>', '.+')}$`).test(subject);

const MODES: Readonly<Record<string, UsageMode>> = { usage: 'json', usageCloudEvent: 'cloudevent' };

test.each(Object.entries(MODES))('the example of %s is what it shows', (name, mode) => {
  const examples = document.components.messages[name]?.examples ?? [];
  expect(examples).toHaveLength(1);
  for (const { payload } of examples) {
    const reading = readUsageBody(mode, payload, () => undefined);
    expect(reading).toMatchObject({ ok: true, items: [{ id: 'req-789', source: 'relay', sent: { scopes: ['user:alice', 'team:ml'] } }] });
  }
});
