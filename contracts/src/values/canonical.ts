import { hash } from 'node:crypto';

/** JSON text with object keys in code-unit order at every level and no white space: equal values, equal text. */
export const canonicalJson = (value: unknown): string => (isInOrder(value) ? (JSON.stringify(value) ?? 'null') : ordered(value));

/** SHA-256 of the canonical JSON, 32 bytes: the content hash of an event as sent. */
export const contentHash = (value: unknown): Buffer => hash('sha256', canonicalJson(value), 'buffer');

/** Then the plain JSON is the canonical one. Most values of ours are: looking is cheaper than writing by hand. */
const isInOrder = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isInOrder);
  if (writesItself(value)) return false;
  let last: string | null = null;
  for (const key of Object.keys(value)) {
    if ((last !== null && key <= last) || !isInOrder((value as Readonly<Record<string, unknown>>)[key])) return false;
    last = key;
  }
  return true;
};

const ordered = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item === undefined ? null : item)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (writesItself(value)) return canonicalJson(value.toJSON());
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
};

const writesItself = (value: object): value is { toJSON: () => unknown } => typeof (value as { toJSON?: unknown }).toJSON === 'function';
