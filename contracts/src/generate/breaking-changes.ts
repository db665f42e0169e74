import type { JsonSchema } from './event-schemas.js';

/**
 * What makes `next` unfit for data stored or read under `previous`: stored events change only by addition. Adding an optional
 * property, an alternative or a value of an enum, or dropping a constraint, is one; everything else is a new version and an upcaster.
 * Answers one line per change, with the JSON path of what changed; empty when there is none.
 */
export const breakingChanges = (previous: JsonSchema, next: JsonSchema, path = '$'): readonly string[] => {
  const resolved = { previous: resolve(previous), next: resolve(next) };
  return compare(resolved.previous, resolved.next, path);
};

/** Words that say nothing about which data are valid, and structure that is compared on its own. */
const APART = new Set([
  'type',
  '$schema',
  '$id',
  '$defs',
  'title',
  'description',
  'examples',
  'properties',
  'required',
  'enum',
  'anyOf',
  'oneOf',
  'items',
  'additionalProperties',
  'propertyNames',
]);

const compare = (previous: JsonSchema, next: JsonSchema, path: string): readonly string[] => [
  ...types(previous, next, path),
  ...keywords(previous, next, path),
  ...properties(previous, next, path),
  ...required(previous, next, path),
  ...values(previous, next, path),
  ...alternatives(previous, next, path),
  ...children(previous, next, path),
];

/** What was of one type may become of one of several. */
const types = (previous: JsonSchema, next: JsonSchema, path: string): readonly string[] => {
  if (next.type === undefined || alternativesOf(previous).length > 0) return [];
  const [before, after] = [namesOf(previous.type), namesOf(next.type)];
  return before.length > 0 && before.every((name) => after.includes(name)) ? [] : [`${path}: type changed`];
};

const namesOf = (type: unknown): readonly unknown[] => (type === undefined ? [] : Array.isArray(type) ? type : [type]);

/** A constraint that is new or other than before refuses what was valid; one that is gone does not. */
const keywords = (previous: JsonSchema, next: JsonSchema, path: string): readonly string[] =>
  Object.keys(next)
    .filter((key) => !APART.has(key) && JSON.stringify(next[key]) !== JSON.stringify(previous[key]))
    .map((key) => `${path}: ${key} changed`);

const properties = (previous: JsonSchema, next: JsonSchema, path: string): readonly string[] =>
  Object.entries(objectOf(previous.properties)).flatMap(([name, before]) => {
    const after = objectOf(next.properties)[name];
    return after === undefined ? [`${path}.${name}: removed`] : compare(objectOf(before), objectOf(after), `${path}.${name}`);
  });

const required = (previous: JsonSchema, next: JsonSchema, path: string): readonly string[] => {
  const [before, after] = [listOf(previous.required), listOf(next.required)];
  return [
    ...after.filter((name) => !before.includes(name)).map((name) => `${path}.${String(name)}: became required`),
    ...before.filter((name) => !after.includes(name)).map((name) => `${path}.${String(name)}: became optional`),
  ];
};

const values = (previous: JsonSchema, next: JsonSchema, path: string): readonly string[] => {
  if (next.enum === undefined) return [];
  if (previous.enum === undefined) return [`${path}: enum changed`];
  return listOf(previous.enum)
    .filter((value) => !listOf(next.enum).includes(value))
    .map((value) => `${path}: no longer allows ${JSON.stringify(value)}`);
};

/** Every alternative of before has to live on in one of now; what had none may become one of several. */
const alternatives = (previous: JsonSchema, next: JsonSchema, path: string): readonly string[] => {
  const [before, after] = [alternativesOf(previous), alternativesOf(next)];
  if (before.length === 0 && after.length === 0) return [];
  if (after.length === 0) return [`${path}: alternatives removed`];
  const lost = (before.length === 0 ? [previous] : before).filter((one) => !after.some((other) => compare(one, other, path).length === 0));
  return lost.map(() => `${path}: an alternative changed`);
};

const alternativesOf = (schema: JsonSchema): readonly JsonSchema[] => [...listOf(schema.anyOf), ...listOf(schema.oneOf)].map(objectOf);

const children = (previous: JsonSchema, next: JsonSchema, path: string): readonly string[] =>
  (['items', 'additionalProperties', 'propertyNames'] as const).flatMap((key) => {
    const [before, after] = [previous[key], next[key]];
    if (after === undefined || JSON.stringify(before) === JSON.stringify(after)) return [];
    if (typeof before === 'object' && typeof after === 'object') return compare(objectOf(before), objectOf(after), `${path}[${key}]`);
    return before === false && typeof after === 'object' ? [] : [`${path}: ${key} changed`];
  });

/** References are followed once; a schema within itself is compared by name. */
const resolve = (schema: JsonSchema): JsonSchema => {
  const definitions = objectOf(schema.$defs);
  const inline = (value: unknown, seen: readonly string[]): unknown => {
    if (Array.isArray(value)) return value.map((item) => inline(item, seen));
    if (typeof value !== 'object' || value === null) return value;
    const { $ref } = value as { $ref?: unknown };
    const name = typeof $ref === 'string' ? $ref.replace('#/$defs/', '') : null;
    if (name !== null && definitions[name] !== undefined && !seen.includes(name)) return inline(definitions[name], [...seen, name]);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, key === '$defs' ? item : inline(item, seen)]));
  };
  return objectOf(inline(schema, []));
};

const objectOf = (value: unknown): JsonSchema => (typeof value === 'object' && value !== null ? (value as JsonSchema) : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
