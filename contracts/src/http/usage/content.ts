import { hash } from 'node:crypto';
import { canonicalJson } from '../../values/canonical.js';
import type { SentUsage } from './sent.js';

/**
 * The content hash of a usage event: `contentHash(sent)`, to the byte, several times as fast. The keys of an event are known, so they are
 * written in canonical order and the engine's own serializer does the rest; a property test holds the two together (`content.spec.ts`).
 */
export const usageContentHash = (sent: SentUsage): Buffer => hash('sha256', canonicalUsage(sent), 'buffer');

/** `canonicalJson(sent)`: keys in code-unit order at every level. */
export const canonicalUsage = (sent: SentUsage): string => {
  const { category, cost, description, dimensions, id, meter, occurredAt, quantities, reservationId, scopes, source, status } = sent;
  const plain = isOrdered(dimensions) && isOrdered(quantities);
  if (!plain || sent.metadata !== undefined || sent.allocation !== undefined) return canonicalJson(sent);
  return JSON.stringify({
    category,
    cost: cost && { amount: cost.amount, currency: cost.currency },
    description,
    dimensions: dimensions && sorted(dimensions),
    id,
    meter,
    occurredAt,
    quantities: quantities && sorted(quantities),
    reservationId,
    scopes,
    source,
    status,
  });
};

/** The engine keeps keys in the order they were added, but for those that look like array indices: those it puts first, by number. */
const INDEX = /^(?:0|[1-9][0-9]*)$/;
const isOrdered = (map: Readonly<Record<string, string>> | undefined): boolean => {
  for (const key in map) if (INDEX.test(key)) return false;
  return true;
};

const sorted = (map: Readonly<Record<string, string>>): Record<string, string> => {
  const keys = Object.keys(map);
  let ordered = true;
  for (let at = 1; at < keys.length; at += 1) if ((keys[at - 1] as string) > (keys[at] as string)) ordered = false;
  if (ordered) return map;
  const result: Record<string, string> = {};
  for (const key of keys.sort()) result[key] = map[key] as string;
  return result;
};
