import { formatPicos } from '@bursar/contracts';

/** What was left of the tightest budget, in picos of its currency; null: no end. */
export type Left = Readonly<{ remaining: bigint | null; graceRemaining: bigint | null }>;

/** The same as the texts of an answer. */
export type LeftTexts = Readonly<{ remaining: string | null; graceRemaining: string | null }>;

export const leftTexts = ({ remaining, graceRemaining }: Left): LeftTexts => {
  const text = amountText(remaining);
  return { remaining: text, graceRemaining: graceRemaining === remaining ? text : amountText(graceRemaining) };
};

const amountText = (picos: bigint | null): string | null => (picos === null ? null : formatPicos(picos));

/** Once so much more is held. */
export const lessLeft = (left: Left, by: bigint): Left => {
  const remaining = less(left.remaining, by);
  return { remaining, graceRemaining: left.graceRemaining === left.remaining ? remaining : less(left.graceRemaining, by) };
};

const less = (picos: bigint | null, by: bigint): bigint | null => (picos === null ? null : picos - by);
