import { hash } from 'node:crypto';

/** JSON text with object keys in code-unit order at every level and no white space: equal values, equal text. */
export const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item === undefined ? null : item)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const { toJSON } = value as { toJSON?: () => unknown };
  if (typeof toJSON === 'function') return canonicalJson(toJSON.call(value));
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
};

/** SHA-256 of the canonical JSON, 32 bytes: the content hash of an event as sent. */
export const contentHash = (value: unknown): Buffer => hash('sha256', canonicalJson(value), 'buffer');
