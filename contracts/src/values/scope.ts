/** Scopes: `type:id` inside and on the wire. The type has no colon, so the first colon separates. */
const SCOPE = /^([a-z][a-z0-9_-]{0,31}):(.+)$/su;
const TYPE = /^[a-z][a-z0-9_-]{0,31}$/;
// C0, DEL and C1 control characters, and unpaired surrogates: none can be shown, some cannot be stored.
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f]|\p{Surrogate}/u;

/** `team:ml`: canonical text of a scope, everywhere inside. Branded only by convention: parse at the edge with {@link readScope}. */
export type ScopeRef = string;

export const TENANT_ID = /^[A-Za-z0-9_-]{1,64}$/;
export const isTenantId = (value: unknown): value is string => typeof value === 'string' && TENANT_ID.test(value);

/** Characters, not UTF-16 units: an emoji counts once. */
export const characters = (text: string): number => {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
};

/** True for 1..max characters of any Unicode but control characters, not only white space. */
export const isPlainText = (value: unknown, max: number): value is string =>
  typeof value === 'string' &&
  value.length > 0 &&
  value.length <= max * 2 &&
  !FORBIDDEN.test(value) &&
  characters(value) <= max &&
  value.trim() !== '';

export const isScopeType = (value: unknown): value is string => typeof value === 'string' && TYPE.test(value);
export const isScopeId = (value: unknown): value is string => isPlainText(value, 128);

/** The canonical text of `"team:ml"` or `{"type":"team","id":"ml"}`; null when it is neither. */
export const readScope = (value: unknown): ScopeRef | null => {
  if (typeof value === 'string') {
    const match = SCOPE.exec(value);
    return match !== null && isScopeId(match[2]) ? value : null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { type, id, ...rest } = value as { type?: unknown; id?: unknown };
  return isScopeType(type) && isScopeId(id) && Object.keys(rest).length === 0 ? `${type}:${id}` : null;
};

export const scopeType = (scope: ScopeRef): string => scope.slice(0, scope.indexOf(':'));
export const scopeId = (scope: ScopeRef): string => scope.slice(scope.indexOf(':') + 1);

/** The topmost ancestor of every scope of a tenant; nobody registers it. */
export const rootScope = (tenant: string): ScopeRef => `tenant:${tenant}`;
