import type { JSONColumnType } from 'kysely';

/** int8 holding a position, revision or count: a JS number (the pool parses it so), safe up to 2^53. */
export type Count = number;
/** NUMERIC(38,12): exact decimal text, never a float. */
export type Amount = string;
/** timestamptz: canonical UTC text of `formatInstant`, microseconds at most. */
export type Instant = string;
/** jsonb: written as text, read as parsed. */
export type Json<T extends object> = JSONColumnType<T, string, string>;
