import { divideHalfEven } from './decimal.js';
import { formatPicos, InexactNumber, MONEY_SCALE } from './money.js';

/** An amount as somebody else's software wrote it, made exact: rounded half-even to 10⁻¹²; `original` is the text as it came. */
export type ReportedAmount = Readonly<{ picos: bigint; original: string; isRounded: boolean; isNegative: boolean }>;

const NUMBER = /^(-?)([0-9]{1,40})(?:\.([0-9]{1,60}))?(?:[eE]([-+]?[0-9]{1,3}))?$/;
/** Beyond these powers of ten nothing is an amount: below it rounds to zero, above it is past every limit. */
const MAX_EXPONENT = 60;

/**
 * Binary-float noise (`0.00022500000000000002`), exponents (`1e-07`) and numbers in strings are what others send; the amounts of our own
 * API are read strictly (`readAmount`). null: absent. Anything that is no number is `not_a_number`.
 */
export const readReportedAmount = (value: unknown): ReportedAmount | null | 'not_a_number' => {
  if (value === undefined || value === null) return null;
  const text = textOf(value);
  const match = text === null ? null : NUMBER.exec(text);
  if (text === null || match === null) return 'not_a_number';
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match;
  const exponent = Number(exponentText);
  if (Math.abs(exponent) > MAX_EXPONENT) return 'not_a_number';
  const digits = BigInt(whole + fraction);
  const shift = exponent - fraction.length + MONEY_SCALE;
  const magnitude = shift >= 0 ? digits * 10n ** BigInt(shift) : divideHalfEven(digits, 10n ** BigInt(-shift));
  const isRounded = shift < 0 && magnitude * 10n ** BigInt(-shift) !== digits;
  return { picos: sign === '-' ? -magnitude : magnitude, original: text, isRounded, isNegative: sign === '-' && digits !== 0n };
};

export const reportedText = ({ picos }: ReportedAmount): string => formatPicos(picos);

const textOf = (value: unknown): string | null => {
  if (value instanceof InexactNumber) return value.source;
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? value.trim() : null;
};
