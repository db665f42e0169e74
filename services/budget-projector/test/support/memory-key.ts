/** Of a row, by the columns of its primary key. */
export const key = (...parts: readonly (string | number)[]): string => parts.join('\u0000');
