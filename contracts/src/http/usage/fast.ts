import { Complaint } from '../fields/complaint.js';
import { readFreeText, readPlainText } from '../fields/text.js';
import { bringsCost } from './event.js';
import { LIMITS } from './limits.js';
import { isDictionary, readAllocation, readCost, readDimensions, readMetadata, readOccurredAt, readScopes } from './parts.js';
import { readQuantities } from './quantities.js';
import type { SentUsage } from './sent.js';

/**
 * The usage event read without zod, which would cost more than everything else ingestion does with it. Answers undefined for
 * whatever it does not accept, and `UsageEvent` then says why. A property test holds the two together (`usage.spec.ts`).
 */
export const readUsageFast = (value: unknown): SentUsage | undefined => {
  if (!isDictionary(value)) return undefined;
  const sent: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const part = value[key];
    if (part === undefined) continue;
    const reading = readPart(key, part);
    if (reading instanceof Complaint) return undefined;
    sent[key] = reading;
  }
  const event = sent as SentUsage;
  return event.id !== undefined && event.source !== undefined && event.scopes !== undefined && bringsCost(event) ? event : undefined;
};

const UNKNOWN = new Complaint('unknown_field');
const REFUSED = new Complaint('not_allowed');

const readPart = (key: string, part: unknown): unknown => {
  switch (key) {
    case 'id':
      return readPlainText(part, LIMITS.id);
    case 'source':
      return readPlainText(part, LIMITS.source);
    case 'occurredAt':
      return readOccurredAt(part);
    case 'scopes':
      return readScopes(part);
    case 'meter':
      return readPlainText(part, LIMITS.meter);
    case 'category':
      return readPlainText(part, LIMITS.category);
    case 'description':
      return readFreeText(part, LIMITS.description);
    case 'cost':
      return readCost(part);
    case 'quantities':
      return readQuantities(part);
    case 'dimensions':
      return readDimensions(part);
    case 'status':
      return part === 'succeeded' || part === 'failed' ? part : REFUSED;
    case 'reservationId':
      return readPlainText(part, LIMITS.reservationId);
    case 'allocation':
      return readAllocation(part);
    case 'metadata':
      return readMetadata(part);
    default:
      return UNKNOWN;
  }
};
