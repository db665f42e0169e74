/**
 * One pass over the bytes of a JSON text before JSON.parse sees it. Finds what JSON.parse hides: how deep it is, number literals it
 * could not keep, and escapes that may spell lone surrogates or forbidden keys. Lenient about grammar, which JSON.parse judges.
 */
export type Scan = Readonly<{
  /** Deeper than allowed: scanning stopped there. */
  tooDeep: boolean;
  /** A number literal with an exponent, more than 15 significant digits, or `-0`. */
  inexact: boolean;
  /** A `\u` escape somewhere. */
  escapes: boolean;
}>;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
const POINT = 0x2e;
const LETTER_U = 0x75;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** `e` and `E` differ in this bit. */
const LOWER = 0x20;
const LETTER_E = 0x65;
const MAX_DIGITS = 15;

export const scanJson = (bytes: Uint8Array, maxDepth: number): Scan => {
  const length = bytes.length;
  let depth = 0;
  let inexact = false;
  let escapes = false;
  let at = 0;
  while (at < length) {
    const byte = bytes[at] as number;
    at += 1;
    if (byte === QUOTE) {
      // Strings are most of a body, so this inner loop does nothing but look for their end.
      let next = bytes[at];
      while (next !== QUOTE && next !== undefined) {
        if (next === BACKSLASH) {
          at += 1;
          if (bytes[at] === LETTER_U) escapes = true;
        }
        at += 1;
        next = bytes[at];
      }
      at += 1;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      depth += 1;
      if (depth > maxDepth) return { tooDeep: true, inexact, escapes };
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      depth -= 1;
    } else if (byte === MINUS || (byte >= ZERO && byte <= NINE)) {
      const start = at - 1;
      while (at < length && isNumberByte(bytes[at] as number)) at += 1;
      if (!inexact && !isKept(bytes, start, at)) inexact = true;
    }
  }
  return { tooDeep: false, inexact, escapes };
};

const isNumberByte = (byte: number): boolean =>
  (byte >= ZERO && byte <= NINE) || byte === POINT || byte === MINUS || byte === 0x2b || (byte | LOWER) === LETTER_E;

/** True when a double and its shortest decimal text say what the literal says. Zeros at either end are not significant. */
const isKept = (bytes: Uint8Array, start: number, end: number): boolean => {
  let digits = 0;
  let zeros = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] as number;
    if ((byte | LOWER) === LETTER_E) return false;
    if (byte === ZERO) {
      if (digits > 0) zeros += 1;
    } else if (byte > ZERO && byte <= NINE) {
      digits += zeros + 1;
      zeros = 0;
      if (digits > MAX_DIGITS) return false;
    }
  }
  return !(digits === 0 && bytes[start] === MINUS);
};

/** The same judgement on the source text of one literal, for JSON.parse's reviver. */
export const isKeptLiteral = (source: string): boolean => {
  const bytes = Buffer.from(source, 'latin1');
  return isKept(bytes, 0, bytes.length);
};
