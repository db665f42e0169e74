import { z } from 'zod';
import { type DecimalProblem, formatDecimal, parseDecimal, readDecimal } from './decimal.js';

/** Fraction digits of every amount: amounts are integers of 10^-12 of the currency unit ("picos"). */
export const MONEY_SCALE = 12;
/** Picos in one currency unit: 12.34 USD is 12_340_000_000_000n. */
export const PICOS_PER_UNIT = 10n ** BigInt(MONEY_SCALE);
/** The largest amount one event may carry, in picos (RELIABILITY F39). */
export const MAX_EVENT_PICOS = 10n ** 24n;
/** The largest balance, in picos (RELIABILITY F39). */
export const MAX_BALANCE_PICOS = 10n ** 30n;

/** Exact amount. `picos` are 1e-12 of one currency unit. */
export type Money = Readonly<{ picos: bigint; currency: string }>;

/** On every wire, events and HTTP alike: `{"amount":"0.0125","currency":"USD"}`. */
export type WireMoney = Readonly<{ amount: string; currency: string }>;

/** Picos of a canonical decimal string from our own events and tables; throws `RangeError` on anything else. */
export const parsePicos = (amount: string): bigint => parseDecimal(amount, MONEY_SCALE);

/** The shortest decimal string: `1000` for 1000.00, `0.0125`. */
export const formatPicos = (picos: bigint): string => formatDecimal(picos, MONEY_SCALE);

export const toWireMoney = (money: Money): WireMoney => ({ amount: formatPicos(money.picos), currency: money.currency });
export const fromWireMoney = (wire: WireMoney): Money => ({ picos: parsePicos(wire.amount), currency: wire.currency });

/**
 * A number literal of a request body that JSON.parse could not keep (an exponent, more than 15 significant digits, `-0`).
 * The body reader (infra/platform) puts it where the number stood, so that no amount is ever silently another one.
 */
export class InexactNumber {
  constructor(readonly source: string) {}
  toJSON(): number {
    return Number(this.source);
  }
}

export type AmountProblem = DecimalProblem | 'negative' | 'unsafe_integer';

/**
 * Reads an amount as a request may carry it: a plain decimal string, or a JSON number of at most 15 significant digits.
 * Answers the value × 10^scale, or why not. No coercion: `true`, `[]`, `{}` and `null` are `amount_format`.
 */
export const readAmount = (value: unknown, scale: number = MONEY_SCALE): bigint | AmountProblem => {
  if (typeof value === 'string') return readDecimal(value, scale);
  if (value instanceof InexactNumber)
    return /^[-.0-9]*$/.test(value.source) && /[1-9]/.test(value.source) ? 'unsafe_integer' : 'amount_format';
  if (typeof value !== 'number' || !Number.isFinite(value) || Object.is(value, -0)) return 'amount_format';
  // No fraction of money or of a price is that small, and as text it would be too long to be looked at.
  if (value !== 0 && Math.abs(value) < 1e-30) return 'scale';
  const text = plainText(value);
  return significantDigits(text) > 15 ? 'unsafe_integer' : readDecimal(text, scale);
};

/** A number's shortest decimal without an exponent, which String() writes below 1e-6 and from 1e21 on whatever the source had. */
const plainText = (value: number): string => {
  const text = String(value);
  const [, sign = '', whole = '', fraction = '', exponent] = /^(-?)([0-9])(?:\.([0-9]+))?e([-+][0-9]+)$/.exec(text) ?? [];
  if (exponent === undefined) return text;
  const digits = whole + fraction;
  const point = 1 + Number(exponent);
  return sign + (point > 0 ? digits.padEnd(point, '0') : `0.${'0'.repeat(-point)}${digits}`);
};

const significantDigits = (text: string): number => text.replace(/[-.]/g, '').replace(/^0+/, '').replace(/0+$/, '').length;

/** The codes of ISO 4217 that Node's ICU knows as currencies in use, plus none of its test or metal codes. */
const NOT_MONEY = new Set(['XXX', 'XTS', 'XAU', 'XAG', 'XPT', 'XPD', 'XBA', 'XBB', 'XBC', 'XBD']);
const CURRENCIES = new Set(Intl.supportedValuesOf('currency').filter((code) => !NOT_MONEY.has(code)));
export const isCurrency = (code: unknown): code is string => typeof code === 'string' && CURRENCIES.has(code);

/** An ISO 4217 code, upper case. */
export const Currency = z.string().refine(isCurrency, { error: 'not an ISO 4217 currency code', params: { code: 'currency' } });
