/** Patterns of price matches and budget filters: `*` stands for any run of characters, also none; everything else for itself. */
export const isPattern = (text: string): boolean => text.includes('*');

/** Linear in text × stars, no backtracking explosion: patterns come from tenants. Case matters. */
export const globMatches = (pattern: string, text: string): boolean => {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return head === text;
  if (!text.startsWith(head) || !text.endsWith(tail)) return false;
  let from = head.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, from);
    if (found < 0) return false;
    from = found + piece.length;
  }
  return from <= text.length - tail.length; // or head, pieces and tail would share characters
};
