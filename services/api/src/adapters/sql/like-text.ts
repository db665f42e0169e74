/** What a user types is text, not a pattern: for LIKE and ILIKE. */
export const likeText = (text: string): string => text.replace(/[\\%_]/g, '\\$&');
