const AREA_LOCATION = /^[A-Za-z_]+(?:\/[A-Za-z0-9_+-]+)+$/;
const PLAIN = new Set(['UTC', 'GMT']);
/** Areas that exist only as links to other names in the IANA database. */
const LINK_AREA = /^(?:us|canada|brazil|chile|mexico)\//i;

/**
 * An IANA zone name in its proper case, links of the old country areas resolved (`US/Pacific` → `America/Los_Angeles`); null for
 * anything else: POSIX rules (`EST5EDT`), bare offsets, unknown places. Other names stay as sent, so `Asia/Kolkata` is not renamed.
 */
export const canonicalTimeZone = (zone: unknown): string | null => {
  if (typeof zone !== 'string' || zone.length > 64) return null;
  if (PLAIN.has(zone.toUpperCase())) return 'UTC';
  if (!AREA_LOCATION.test(zone)) return null;
  const resolved = resolve(zone);
  if (resolved === null) return null;
  return LINK_AREA.test(zone) || resolved.toLowerCase() === zone.toLowerCase() ? resolved : zone;
};

const resolve = (zone: string): string | null => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  } catch (error) {
    if (error instanceof RangeError) return null; // how Intl says: no such zone
    throw error;
  }
};
