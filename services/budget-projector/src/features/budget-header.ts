import { type BudgetDefinition, formatPicos, readOnce, remembering } from '@bursar/contracts';
import { endOf, remainingOf, type Standing } from '../domain/check/standing.js';

/** The amounts of a standing as texts, in its currency; null: unlimited. */
export type AmountTexts = Readonly<{ limit: string | null; spend: string; reserved: string; remaining: string | null }>;

/** @param left what of them is a text already */
export const amountTexts = (standing: Standing, left: Partial<Pick<AmountTexts, 'remaining'>> | null = null): AmountTexts => ({
  limit: standing.limit === null ? null : settledText(standing.limit),
  spend: settledText(standing.spend),
  reserved: formatPicos(standing.reserved),
  remaining: left?.remaining ?? amountText(remainingOf(standing)),
});

/** Of amounts that are the same from one answer to the next. */
const settledText = remembering(formatPicos, 64);

export const amountText = (picos: bigint | null): string | null => (picos === null ? null : formatPicos(picos));

/** `Bursar-Budget` (RFC 9651): the budget's name with its figures as parameters, amounts as decimal text of its currency. */
export const budgetHeader = (standing: Standing, { limit, spend, reserved, remaining }: AmountTexts = amountTexts(standing)): string => {
  // Figures and instants are plain ASCII; on every answer, so put together by hand, of few pieces.
  const left = remaining === null ? '"' : `";remaining="${remaining}"`;
  return `${before(standing.state.definition, limit, spend)}${reserved}${left}${resetOf(standing.period)}`;
};

/** What changes only with usage. */
const before = (definition: BudgetDefinition, limit: string | null, spend: string): string => {
  const last = lastBefore(definition);
  if (last.limit !== limit || last.spend !== spend) {
    const limited = limit === null ? '' : `;limit="${limit}"`;
    Object.assign(last, { limit, spend, text: `${nameOf(definition)}${limited};used="${spend}";reserved="` });
  }
  return last.text;
};

const lastBefore = readOnce((_: BudgetDefinition): { limit: string | null; spend: string; text: string } => ({
  limit: '',
  spend: '',
  text: '',
}));
const resetOf = readOnce((period: Standing['period']): string => `;reset="${endOf(period)}"`);

const nameOf = readOnce(({ name }: BudgetDefinition): string => text(name));

/** A String where it is plain ASCII, else a Display String (RFC 9651 §4.1.11). */
const text = (value: string): string => {
  if (/^[ -~]*$/.test(value)) return `"${value.replace(/["\\]/g, '\\$&')}"`;
  const encoded = [...Buffer.from(value, 'utf8')].map((byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x25 || byte === 0x22 ? `%${byte.toString(16).padStart(2, '0')}` : String.fromCharCode(byte),
  );
  return `%"${encoded.join('')}"`;
};
