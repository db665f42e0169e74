import { z } from 'zod';
import { isScopeId, isScopeType, isTenantId, readScope, type ScopeRef } from '../../values/scope.js';
import { Complaint, type Reading } from './complaint.js';
import { type Field, field } from './field.js';

export const readScopeText = (value: unknown): Reading<ScopeRef> => readScope(value) ?? new Complaint('scope_format');

/** `"team:ml"` or `{"type": "team", "id": "ml"}`; the text inside. */
export const scopeRef: Field<ScopeRef> = field(
  {
    id: 'ScopeRef',
    description: 'type:id, or an object of both',
    oneOf: [
      { type: 'string', pattern: '^[a-z][a-z0-9_-]{0,31}:.{1,128}$' },
      {
        type: 'object',
        properties: { type: { type: 'string', pattern: '^[a-z][a-z0-9_-]{0,31}$' }, id: { type: 'string', minLength: 1, maxLength: 128 } },
        required: ['type', 'id'],
        additionalProperties: false,
      },
    ],
    examples: ['team:ml'],
  },
  readScopeText,
);

export const scopeTypeText: Field<string> = field({ type: 'string', pattern: '^[a-z][a-z0-9_-]{0,31}$' }, (value) =>
  isScopeType(value) ? value : new Complaint('scope_format'),
);
export const scopeIdText: Field<string> = field({ type: 'string', minLength: 1, maxLength: 128 }, (value) =>
  isScopeId(value) ? value : new Complaint('scope_format'),
);
export const tenantIdText: Field<string> = field({ type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' }, (value) =>
  isTenantId(value) ? value : new Complaint('text_format', 'Not a tenant id'),
);

/** A list of scopes, each once. */
export const scopeList = (min: number, max: number) =>
  z
    .array(scopeRef)
    .min(min)
    .max(max)
    .transform((scopes) => [...new Set(scopes)]);
