export { column } from '@bursar/database';

/** A text[] literal of one row, to travel inside an array of rows (an array of arrays would be flattened). */
export const textArray = (items: readonly string[]): string => `{${items.map((item) => `"${item.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
