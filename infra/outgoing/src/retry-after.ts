const MAX_SECONDS = 86_400;

/** `Retry-After` in seconds from `nowMs`, whole seconds or an HTTP date, at most 24 h (RELIABILITY IN-G26); null for anything else. */
export const readRetryAfter = (header: string | undefined, nowMs: number): number | null => {
  if (header === undefined) return null;
  const text = header.trim();
  const seconds = /^[0-9]{1,15}$/.test(text) ? Number(text) : secondsUntil(text, nowMs);
  return seconds === null ? null : Math.min(Math.max(seconds, 0), MAX_SECONDS);
};

const secondsUntil = (text: string, nowMs: number): number | null => {
  // `1e9`, `-5` and years alone are dates to Date.parse: an HTTP date has a time in it.
  const at = text.includes(':') ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : Math.ceil((at - nowMs) / 1_000);
};
