/** Version of the IANA time zone data that this process computes boundaries with, as `2025b`. One for as long as it runs. */
export const TIME_ZONE_DATA: string = process.versions.tz ?? 'unknown';
