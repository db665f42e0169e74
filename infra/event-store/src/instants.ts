/** RFC 3339, UTC, always six fraction digits: the text of a `recordedAt`, from microseconds since 1970. */
export const formatMicros = (micros: number): string => {
  const seconds = new Date(Math.floor(micros / 1000)).toISOString().slice(0, 19);
  return `${seconds}.${String(micros % 1_000_000).padStart(6, '0')}Z`;
};
