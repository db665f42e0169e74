import { InexactNumber, isScopeId } from '@bursar/contracts';

/** Reading of other people's JSON: what is not as expected is absent, never an error. Own properties only. */
export type Fields = Readonly<Record<string, unknown>>;

export const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof InexactNumber) ? (value as Fields) : {};

export const own = (fields: Fields, name: string): unknown => (Object.hasOwn(fields, name) ? fields[name] : undefined);

/** Text that says something, cut to `max` characters and without control characters; undefined for anything else. */
export const labelOf = (value: unknown, max: number): string | undefined => {
  if (typeof value !== 'string') return undefined;
  const clean = Array.from(value.replaceAll(/\p{C}+/gu, ' ').trim())
    .slice(0, max)
    .join('');
  return clean === '' ? undefined : clean;
};

/** A count of tokens; undefined for what is none. */
export const countOf = (value: unknown): bigint | undefined => {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && /^[0-9]{1,15}$/.test(text) ? BigInt(text) : undefined;
};

/** `type:id` of an identity, undefined where the proxy named nobody. */
export const scopeOf = (type: string, value: unknown): string | undefined => {
  const id = labelOf(value, 128);
  return id !== undefined && isScopeId(id) ? `${type}:${id}` : undefined;
};
