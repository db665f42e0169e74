import { hash } from 'node:crypto';

/** A UUID text (version 8: ours) from 128 bits of SHA-256 over the parts, joined by NUL, which no part can contain. */
export const derivedId = (...parts: readonly string[]): string => {
  const hex = hash('sha256', parts.join('\u0000'), 'hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

/** The event id of usage: the same (tenant, source, id) is the same event, for ever. */
export const usageEventId = (tenant: string, source: string, id: string): string => derivedId('usage', tenant, source, id);

/** Of the n-th addition of scopes to usage, from 1: two at once are told apart, and one of them comes after the other. */
export const usageScopeEventId = (tenant: string, eventId: string, n: number): string =>
  derivedId('usage-scope', tenant, eventId, String(n));

/** The event id of a void: usage is voided once, for ever. */
export const voidEventId = (tenant: string, eventId: string): string => derivedId('voided', tenant, eventId);

/** Of a record in quarantine: the same content is kept once. */
export const quarantineEventId = (tenant: string, source: string, contentHash: string): string =>
  derivedId('quarantined', tenant, source, contentHash);

/** The event id of a rerating: one correction changes a usage once. */
export const reratedEventId = (tenant: string, eventId: string, correctionId: string): string =>
  derivedId('rerated', tenant, eventId, correctionId);

/** Of the event that says that a correction of prices has reached all usage. */
export const correctionAppliedId = (tenant: string, correctionId: string): string => derivedId('correction-applied', tenant, correctionId);

/** Crossing and clearing of one threshold in one period: the episode makes a second crossing another fact. */
export const thresholdEventId = (
  what: 'crossed' | 'cleared',
  tenant: string,
  budgetId: string,
  periodStart: string,
  threshold: string,
  episode: number,
): string => derivedId('threshold', what, tenant, budgetId, periodStart, threshold, String(episode));

/** The automatic pause of a budget for one period; the episode makes a second one in it another fact. */
export const autoPauseEventId = (tenant: string, budgetId: string, periodStart: string, episode: number): string =>
  derivedId('auto-pause', tenant, budgetId, periodStart, String(episode));

/**
 * What the reset-scheduler says of one period of a budget. `definedPosition`: the definition that the period is of, absent for the first
 * one, since a budget that counts something else may have a period that starts where one of its former periods did.
 */
export const periodEventId = (
  what: 'ended' | 'started' | 'resumed' | `restated ${number}`,
  tenant: string,
  budgetId: string,
  periodStart: string,
  definedPosition?: number,
): string => derivedId('period', what, tenant, budgetId, periodStart, ...(definedPosition === undefined ? [] : [String(definedPosition)]));

/** An override ends once; a budget ends at each instant that was its `validUntil`, once. */
export const expiryEventId = (what: 'override' | 'budget', tenant: string, budgetId: string, which: string): string =>
  derivedId('expired', what, tenant, budgetId, which);

/** The event that tells of a refusal, by the id its answer named it with. */
export const refusalEventId = (tenant: string, decisionId: string): string => derivedId('refused', tenant, decisionId);

/** FNV-1a, 32 bits, over UTF-8: the same function as NATS's `partition()` mapping. */
export const fnv1a32 = (text: string): number => {
  let state = FNV_BASIS;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    // Tenants are ASCII, where a character is its byte.
    if (code > LAST_ASCII) return fnv1a32OfBytes(Buffer.from(text, 'utf8'));
    state = Math.imul(state ^ code, FNV_PRIME) >>> 0;
  }
  return state;
};

const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const LAST_ASCII = 0x7f;

const fnv1a32OfBytes = (bytes: Uint8Array): number => {
  let state = FNV_BASIS;
  for (const byte of bytes) state = Math.imul(state ^ byte, FNV_PRIME) >>> 0;
  return state;
};

/** The partition a tenant belongs to, of P fixed at installation. */
export const partitionOf = (tenant: string, partitions: number): number => fnv1a32(tenant) % partitions;
export const DEFAULT_PARTITIONS = 16;
