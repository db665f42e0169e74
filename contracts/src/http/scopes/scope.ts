import { z } from 'zod';
import { readScope, type ScopeRef } from '../../values/scope.js';
import { Complaint } from '../fields/complaint.js';
import { field } from '../fields/field.js';
import { compact, orAbsent } from '../fields/nullish.js';
import { scopeIdText, scopeList, scopeTypeText } from '../fields/scope.js';
import { label } from '../fields/text.js';
import { isDictionary, readDimensions } from '../usage/parts.js';

const MAX_PARENTS = 16;
const attributes = field({ type: 'object', maxProperties: 64, additionalProperties: { type: 'string', maxLength: 1024 } }, readDimensions);

/** `POST /scopes`: what to register, with `scope` as text inside. Without parents it hangs under the root. */
export const ScopeBody = z
  .strictObject({
    type: scopeTypeText,
    id: scopeIdText,
    parents: orAbsent(scopeList(0, MAX_PARENTS)),
    name: orAbsent(label(200)),
    attributes: orAbsent(attributes),
  })
  .transform(({ type, id, parents = [], ...rest }) => compact({ scope: readScope({ type, id }) as ScopeRef, parents, ...rest }))
  .meta({ id: 'ScopeInput' });
export type ScopeBody = z.infer<typeof ScopeBody>;

/** `PATCH /scopes/:type/:id`: parents are replaced (null: none), attributes merged (null removes one, or all of them). */
export const ScopePatch = z
  .strictObject({
    parents: scopeList(0, MAX_PARENTS)
      .nullable()
      .transform((parents) => parents ?? [])
      .optional(),
    name: label(200).nullable().optional(),
    attributes: field(
      { type: ['object', 'null'], additionalProperties: { type: ['string', 'null'] } },
      (value): Readonly<Record<string, string | null>> | null | Complaint => {
        if (!isDictionary(value)) return value === null ? null : new Complaint('wrong_type', 'Expected an object');
        const kept = readDimensions(Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null)));
        if (kept instanceof Complaint) return kept;
        return { ...kept, ...Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (item === null ? [[key, null]] : []))) };
      },
    ).optional(),
  })
  .meta({ id: 'ScopePatch' });
export type ScopePatch = z.infer<typeof ScopePatch>;

/** The attributes after a patch of them. */
export const mergeAttributes = (
  current: Readonly<Record<string, string>>,
  patch: Readonly<Record<string, string | null>> | null,
): Record<string, string> => {
  if (patch === null) return {};
  const merged = new Map(Object.entries(current));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  }
  return Object.fromEntries(merged);
};
