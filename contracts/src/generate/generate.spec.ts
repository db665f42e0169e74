import { describe, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { z } from 'zod';
import { CHANNELS } from '../bus/channels/table.js';
import { defineEvent } from '../events/envelope.js';
import { EVENT_DEFINITIONS } from '../events/registry.js';
import { ROUTES } from '../http/routes/table.js';
import { breakingChanges } from './breaking-changes.js';
import { eventSchema } from './event-schemas.js';
import { brokenEvents, generatedFiles, staleFiles } from './files.js';

const files = generatedFiles(ROUTES, CHANNELS, EVENT_DEFINITIONS.values());
const document = JSON.parse(files.get('openapi.json') ?? '{}') as {
  paths: Record<string, Record<string, { operationId: string }>>;
  components: { schemas: Record<string, unknown> };
};

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator();
  expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
});

test('every reference leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
  const missing = references.filter(
    (path) => path.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document) === undefined,
  );
  expect(references.length).toBeGreaterThan(100);
  expect([...new Set(missing)]).toEqual([]);
});

test('every route is an operation of its own', () => {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId));
  expect(operations.sort()).toEqual(ROUTES.map(({ operationId }) => operationId).sort());
  expect(new Set(operations).size).toBe(operations.length);
});

test('a file that differs or is missing is stale', () => {
  expect(staleFiles(files, files)).toEqual([]);
  expect(staleFiles(files, new Map([...files, ['openapi.json', '{}']]))).toEqual(['openapi.json']);
  expect(staleFiles(files, new Map())).toHaveLength(files.size);
});

const v1 = z.object({
  id: z.string(),
  amount: z.string(),
  kind: z.enum(['a', 'b']),
  inner: z.object({ deep: z.string().nullable() }),
  list: z.array(z.string()),
});
const change = (data: z.ZodType): readonly string[] =>
  breakingChanges(eventSchema(defineEvent('Thing', 1, v1)), eventSchema(defineEvent('Thing', 1, data)));

describe('stored events change only by addition', () => {
  test.each([
    ['nothing', v1],
    ['an optional property', v1.extend({ note: z.string().optional() })],
    ['a value of an enum', v1.extend({ kind: z.enum(['a', 'b', 'c']) })],
    ['null', v1.extend({ amount: z.string().nullable() })],
    ['an optional property deep inside', v1.extend({ inner: z.object({ deep: z.string().nullable(), more: z.number().optional() }) })],
  ])('%s may be added', (_what, data) => expect(change(data)).toEqual([]));

  test.each([
    ['a property removed', v1.omit({ amount: true }), ['$.amount: removed', '$.amount: became optional']],
    ['a required property', v1.extend({ note: z.string() }), ['$.note: became required']],
    ['required made optional', v1.extend({ amount: z.string().optional() }), ['$.amount: became optional']],
    ['another type', v1.extend({ amount: z.number() }), ['$.amount: type changed']],
    ['a value less', v1.extend({ kind: z.enum(['a']) }), ['$.kind: no longer allows "b"']],
    ['null no longer', v1.extend({ inner: z.object({ deep: z.string() }) }), ['$.inner.deep: type changed']],
    ['a new bound', v1.extend({ list: z.array(z.string()).max(3) }), ['$.list: maxItems changed']],
    ['other items', v1.extend({ list: z.array(z.number()) }), ['$.list[items]: type changed']],
  ])('%s breaks', (_what, data, changes) => expect(change(data)).toEqual(changes));

  test('a type that is gone, or a version without its upcaster, breaks', () => {
    const present = generatedFiles([], [], [defineEvent('Thing', 1, v1)]);
    const upcaster = { 1: (data: never) => data };
    expect(brokenEvents(present, [])).toEqual(['Thing.v1: gone, though such events may be stored']);
    expect(brokenEvents(present, [defineEvent('Thing', 2, z.object({}))])).toEqual(['Thing.v1: no upcaster to v2']);
    expect(brokenEvents(present, [defineEvent('Thing', 2, z.object({}), upcaster)])).toEqual([]);
  });
});
