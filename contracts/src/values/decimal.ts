/**
 * Exact decimals as scaled bigints. A plain decimal is `12`, `0.0125` or `-3.5`: ASCII digits, no exponent, no sign `+`,
 * no leading zeros, no bare point. Everything that turns text into an amount goes through here.
 */
const PLAIN = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?$/;

export type DecimalProblem = 'amount_format' | 'scale' | 'too_large';

/** Longer texts are refused before any pattern runs: a 100,000-digit amount costs nothing. */
const MAX_TEXT = 80;

/**
 * The value times 10^scale, or the reason it is not a plain decimal of at most `scale` fraction digits.
 * Never rounds: trailing zeros beyond the scale are refused as `scale` too, as any 13th digit is.
 */
export const readDecimal = (text: string, scale: number): bigint | DecimalProblem => {
  const small = readSmall(text, scale);
  if (small !== -1) return BigInt(small);
  if (text.length > MAX_TEXT) return /^-?[0-9.]+$/.test(text.slice(0, MAX_TEXT)) ? 'too_large' : 'amount_format';
  const match = PLAIN.exec(text);
  if (match === null) return 'amount_format';
  const [, sign, whole = '', fraction = ''] = match;
  if (fraction.length > scale) return 'scale';
  const magnitude = BigInt(whole + fraction.padEnd(scale, '0'));
  if (sign === '-' && magnitude === 0n) return 'amount_format'; // "-0" is not a number anyone means
  return sign === '-' ? -magnitude : magnitude;
};

const [ZERO, NINE, POINT] = [0x30, 0x39, 0x2e];
/** So many digits are exact as a number, whatever they are. */
const EXACT_DIGITS = 15;

/**
 * As {@link readDecimal}, of what most amounts are: not negative, and few digits. Read without a pattern and its pieces, which are most of what folding usage
 * leaves to be collected. -1: it is more than that, or no decimal.
 */
const readSmall = (text: string, scale: number): number => {
  const { length } = text;
  if (length === 0 || length > EXACT_DIGITS + 1) return -1;
  let [value, whole] = [0, 0];
  for (; whole < length; whole += 1) {
    const code = text.charCodeAt(whole);
    if (code === POINT) break;
    if (code < ZERO || code > NINE) return -1;
    value = value * 10 + (code - ZERO);
  }
  if (whole === 0 || (whole > 1 && text.charCodeAt(0) === ZERO) || whole + scale > EXACT_DIGITS) return -1;
  const fraction = Math.max(0, length - whole - 1);
  if (fraction > scale || (fraction === 0 && whole < length)) return -1;
  for (let index = whole + 1; index < length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < ZERO || code > NINE) return -1;
    value = value * 10 + (code - ZERO);
  }
  return value * 10 ** (scale - fraction);
};

/** Like {@link readDecimal} for text known to be good (our own stored events); throws `RangeError` otherwise. */
export const parseDecimal = (text: string, scale: number): bigint => {
  const value = readDecimal(text, scale);
  if (typeof value === 'bigint') return value;
  throw new RangeError(`not a decimal of at most ${scale} fraction digits (${value})`);
};

/** The shortest plain decimal of `value` × 10^-scale: no trailing zeros, `0` for zero. */
export const formatDecimal = (value: bigint, scale: number): string => {
  const negative = value < 0n;
  const digits = (negative ? -value : value).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  let end = digits.length;
  while (end > point && digits.charCodeAt(end - 1) === ZERO) end -= 1;
  return `${negative ? '-' : ''}${digits.slice(0, point)}${end === point ? '' : `.${digits.slice(point, end)}`}`;
};

/** numerator ÷ denominator (> 0) rounded to the nearest integer, ties to even, for either sign of the numerator. */
export const divideHalfEven = (numerator: bigint, denominator: bigint): bigint => {
  const negative = numerator < 0n;
  const magnitude = negative ? -numerator : numerator;
  const quotient = magnitude / denominator;
  const twice = (magnitude % denominator) * 2n;
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  const rounded = up ? quotient + 1n : quotient;
  return negative ? -rounded : rounded;
};
