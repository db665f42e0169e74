import { type BudgetDefinition, formatPicos, readOnce } from '@bursar/contracts';
import { endOf, remainingOf, type Standing } from '../domain/check/standing.js';

/** `Bursar-Budget` (RFC 9651): the budget's name with its figures as parameters, amounts as decimal text of its currency. */
export const budgetHeader = (standing: Standing): string => {
  const { state, limit, spend, reserved, period } = standing;
  const remaining = remainingOf(standing);
  // Figures and instants are plain ASCII; on every answer, so put together by hand.
  const limited = limit === null ? '' : `;limit="${formatPicos(limit)}"`;
  const held = `;used="${formatPicos(spend)}";reserved="${formatPicos(reserved)}"`;
  const left = remaining === null ? '' : `;remaining="${formatPicos(remaining)}"`;
  return `${nameOf(state.definition)}${limited}${held}${left};reset="${endOf(period)}"`;
};

const nameOf = readOnce(({ name }: BudgetDefinition): string => text(name));

/** A String where it is plain ASCII, else a Display String (RFC 9651 §4.1.11). */
const text = (value: string): string => {
  if (/^[ -~]*$/.test(value)) return `"${value.replace(/["\\]/g, '\\$&')}"`;
  const encoded = [...Buffer.from(value, 'utf8')].map((byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x25 || byte === 0x22 ? `%${byte.toString(16).padStart(2, '0')}` : String.fromCharCode(byte),
  );
  return `%"${encoded.join('')}"`;
};
