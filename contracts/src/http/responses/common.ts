import { z } from 'zod';

/** Answers are described, not enforced: what a service sends is built from typed values, and a client may meet new members. */
export const Amount = z.string().meta({ id: 'Amount', description: 'A decimal', examples: ['12.5'] });
export const Instant = z.string().meta({ id: 'Instant', format: 'date-time', description: 'RFC 3339, UTC' });
export const Position = z.string().meta({ id: 'Position', description: '<partition>:<position>', examples: ['3:1042'] });
/** The 202 of a `minPosition` that has not been folded: how far it is, and what was asked for. */
export const NotYet = z.object({ position: Position, minPosition: Position }).meta({ id: 'NotYet' });
export const MoneyAnswer = z.object({ amount: Amount, currency: z.string() }).meta({ id: 'MoneyAnswer' });

/** `{"data": […], "nextCursor": null}`. */
export const listOf = (item: z.ZodType) => z.object({ data: z.array(item), nextCursor: z.string().nullable() });

/** For what a later step builds: any object. */
export const Anything = z.looseObject({});
