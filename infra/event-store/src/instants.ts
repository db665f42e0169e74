let last = { micros: Number.NaN, text: '' };

/**
 * RFC 3339, UTC, always six fraction digits: the text of a `recordedAt`, from microseconds since 1970. All events of an append have
 * the same, so the last one is kept.
 */
export const formatMicros = (micros: number): string => {
  if (micros !== last.micros) last = { micros, text: toText(micros) };
  return last.text;
};

const toText = (micros: number): string => {
  const seconds = new Date(Math.floor(micros / 1000)).toISOString().slice(0, 19);
  return `${seconds}.${String(micros % 1_000_000).padStart(6, '0')}Z`;
};

/** Microseconds since 1970 of such a text; NaN of any other. */
export const parseMicros = (text: string): number => {
  const seconds = Date.parse(`${text.slice(0, 19)}Z`);
  return RECORDED_AT.test(text) ? seconds * 1000 + Number(text.slice(20, 26)) : Number.NaN;
};

const RECORDED_AT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/;
