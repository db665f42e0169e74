import type { z } from 'zod';
import { isCurrency } from '../../values/money.js';
import { remembering } from '../../values/remembering.js';
import { readAmountText } from '../fields/amount.js';
import { Complaint, type Reading } from '../fields/complaint.js';
import { readPlainText } from '../fields/text.js';
import { LIMITS } from '../usage/limits.js';
import { isDictionary, readDimensions, readScopes } from '../usage/parts.js';
import { readQuantities } from '../usage/quantities.js';
import { type CheckBody, type ReservationBody, TTL_SECONDS } from './check.js';

type Check = z.output<typeof CheckBody>;
type Reservation = z.output<typeof ReservationBody>;

/**
 * `CheckBody` without zod, which would cost as much as the decision. Answers undefined for whatever it does not accept, and the schema then says
 * why. A property test holds the two together (`fast.spec.ts`).
 */
export const readCheckFast = (value: unknown): Check | undefined => {
  const read = readParts(value, readCheckPart);
  return read?.scopes === undefined || read.amount === undefined ? undefined : (read as Check);
};

/** `ReservationBody`, the same way. */
export const readReservationFast = (value: unknown): Reservation | undefined => {
  const read = readParts(value, readReservationPart);
  if (read?.scopes === undefined) return undefined;
  read.ttlSeconds ??= TTL_SECONDS.usual;
  const { amount, quantities } = read as Reservation;
  if ((amount === undefined) === (quantities === undefined)) return undefined;
  const isNothing = quantities !== undefined && !Object.values(quantities).some((quantity) => /[1-9]/.test(quantity));
  return isNothing ? undefined : (read as Reservation);
};

const readParts = (value: unknown, readPart: (key: string, part: unknown) => unknown): Record<string, unknown> | undefined => {
  if (!isDictionary(value)) return undefined;
  const read: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const reading = readPart(key, value[key]);
    if (reading instanceof Complaint) return undefined;
    read[key] = reading;
  }
  return read;
};

const REFUSED = new Complaint('not_allowed');

/** Who asks before every spend asks for the same amounts again and again; those of more characters are rare, and would be kept. */
const SHORT = 32;
const MOST = 64;
const remembered = (read: (part: unknown) => Reading<string>): ((part: unknown) => Reading<string>) => {
  const short = remembering((part: string) => read(part), MOST);
  return (part) => (typeof part === 'string' && part.length <= SHORT ? short(part) : read(part));
};
const readAmount = remembered((part) => readAmountText(part));
const readPositive = remembered((part) => readAmountText(part, { positive: true }));

const readCheckPart = (key: string, part: unknown): unknown => {
  switch (key) {
    case 'scopes':
      return readScopes(part);
    case 'amount':
      return readAmount(part);
    case 'currency':
      return isCurrency(part) ? part : REFUSED;
    case 'category':
      return readPlainText(part, LIMITS.category);
    case 'dimensions':
      return readDimensions(part);
    default:
      return REFUSED;
  }
};

const readReservationPart = (key: string, part: unknown): unknown => {
  switch (key) {
    case 'id':
      return readPlainText(part, LIMITS.reservationId);
    case 'amount':
      return readPositive(part);
    case 'meter':
      return readPlainText(part, LIMITS.meter);
    case 'quantities':
      return readQuantities(part);
    case 'ttlSeconds':
      return isTtl(part) ? part : REFUSED;
    default:
      return readCheckPart(key, part);
  }
};

const isTtl = (part: unknown): boolean => typeof part === 'number' && Number.isInteger(part) && part >= 1 && part <= TTL_SECONDS.most;
