import { z } from 'zod';
import { formatPicos, parsePicos } from '../values/money.js';
import { defineEvent } from './envelope.js';
import { StoredAmount, StoredInstant, StoredScope } from './wire.js';

/** Stream `holds-<partition>`; both are fences too: an old owner's append fails at its expected revision. */
export const PartitionTaken = defineEvent(
  'PartitionTaken',
  1,
  z.object({ partition: z.number().int(), epoch: z.number().int(), owner: z.string() }),
);

/** What is granted alike: all that is said of a reservation but its id and what was left. */
const Terms = z.object({
  /** SHA-256 of what was asked, hex: the same id with another body is another request. */
  bodyHash: z.string(),
  /** All it is charged to, the root last: frozen, whatever the tree becomes. */
  path: z.array(StoredScope),
  amount: StoredAmount,
  currency: z.string(),
  category: z.string().optional(),
  dimensions: z.record(z.string(), z.string()).optional(),
  /** By the database's clock: the moment that says in which period it is, and by which exchange rate. */
  grantedAt: StoredInstant,
  expiresAt: StoredInstant,
  /** Overrides that were live and without which a budget would have refused it (PRODUCT B10); absent: it needed none. */
  overrideIds: z.array(z.string()).optional(),
  /** Units that no price covered: no budget that blocks at a limit applied, so nothing is held for them. */
  unpriced: z.array(z.string()).optional(),
  /** The position on which it was decided: what was known of rates then is what it is settled by. */
  decidedAt: z.number().int(),
  /** What it holds of each applicable budget, in the budget's currency. */
  budgets: z.array(z.object({ budgetId: z.string(), periodStart: StoredInstant, amount: StoredAmount })),
  /** The budget with the least room once it was held; null: none applied. */
  tightest: z.string().nullable(),
});

const Left = StoredAmount.nullable();

/** Reservations granted one right after another on the same terms. */
const Granted = z.object({
  change: z.literal('granted'),
  tenant: z.string(),
  terms: Terms,
  reservationIds: z
    .array(z.string())
    .describe("In the order in which they were granted: each leaves the terms' amount less than the one before it."),
  /** Said again to whoever asks again. Several are only ever granted where every budget that applies is in the currency that was asked. */
  remaining: Left.optional().describe(
    'Left of the tightest budget once the first was held, in the currency of that budget. null: no end; absent: no budget applied.',
  ),
  graceRemaining: Left.optional().describe('The same until it blocks; absent: as much as remains.'),
});

const Ended = z.object({ tenant: z.string(), reservationId: z.string(), at: StoredInstant });
const Change = z.discriminatedUnion('change', [
  Granted,
  Ended.extend({ change: z.literal('released') }),
  Ended.extend({ change: z.literal('expired') }),
]);

/**
 * Reservations granted, released or expired by one group commit of the partition's owner, packed. A grant, release or expiry that comes
 * after the usage that settles its hold changes nothing; an expiry recorded before the hold's `expiresAt` neither.
 */
export const HoldsChanged = defineEvent('HoldsChanged', 3, z.object({ partition: z.number().int(), changes: z.array(Change) }), {
  1: ({ partition, changes }: First) => ({ partition, changes: changes.map((one) => (one.change === 'granted' ? granted(one) : one)) }),
  2: ({ partition, changes }: Second) => ({
    partition,
    changes: changes.flatMap((one): readonly HoldChange[] => (one.change === 'granted' ? evenly(one) : [one])),
  }),
});
export type HoldChange = z.infer<typeof Change>;
export type HoldsGranted = z.infer<typeof Granted>;
export type HoldTerms = z.infer<typeof Terms>;

/** One of those that an event grants together. `remaining`: of the tightest budget once it was held. */
export type HoldReservation = Readonly<{ id: string; remaining?: string | null | undefined; graceRemaining?: string | null | undefined }>;

/** All of them, in order. Throws where an amount cannot be read. */
export const holdReservations = (granted: HoldsGranted): readonly HoldReservation[] => {
  const left = leftWith(granted);
  return granted.reservationIds.map((id, nth) => ({ id, ...left(nth) }));
};

/** What is left with the nth. */
const leftWith = ({ terms, remaining, graceRemaining }: HoldsGranted): ((nth: number) => Omit<HoldReservation, 'id'>) => {
  const amount = parsePicos(terms.amount);
  const falling = (first: string | null | undefined): ((nth: number) => string | null | undefined) => {
    if (first == null) return () => first;
    const picos = parsePicos(first);
    return (nth) => (nth === 0 ? first : formatPicos(picos - BigInt(nth) * amount));
  };
  const [remains, grace] = [falling(remaining), falling(graceRemaining)];
  return (nth) => ({
    ...(remaining !== undefined && { remaining: remains(nth) }),
    ...(graceRemaining !== undefined && { graceRemaining: grace(nth) }),
  });
};

/** One reservation as it was granted. `tightest`: what was left of that budget with it. */
export type HoldGranted = Omit<HoldTerms, 'tightest'> &
  Readonly<{
    tenant: string;
    reservationId: string;
    tightest: Readonly<{ budgetId: string; remaining: string | null; graceRemaining: string | null }> | null;
  }>;

/** The same, with what it shares with the others. */
export const holdGranted = (
  tenant: string,
  { tightest, ...terms }: HoldTerms,
  { id, remaining = null, graceRemaining = remaining }: HoldReservation,
): HoldGranted => ({
  ...terms,
  tenant,
  reservationId: id,
  tightest: tightest === null ? null : { budgetId: tightest, remaining, graceRemaining },
});

type Ending = Exclude<HoldChange, { change: 'granted' }>;

/** Said every reservation's terms anew. */
type First = Readonly<{ partition: number; changes: readonly ((HoldGranted & Readonly<{ change: 'granted' }>) | Ending)[] }>;

/** Said of every reservation what was left. */
type Second = Readonly<{ partition: number; changes: readonly (SecondGranted | Ending)[] }>;
type SecondGranted = Readonly<{ change: 'granted'; tenant: string; terms: HoldTerms; reservations: readonly HoldReservation[] }>;

const granted = ({
  change,
  tenant,
  reservationId,
  tightest,
  ...terms
}: Extract<First['changes'][number], { change: 'granted' }>): SecondGranted => ({
  change,
  tenant,
  terms: { ...terms, tightest: tightest?.budgetId ?? null },
  reservations: [
    {
      id: reservationId,
      ...(tightest !== null && { remaining: tightest.remaining }),
      ...(tightest !== null && tightest.graceRemaining !== tightest.remaining && { graceRemaining: tightest.graceRemaining }),
    },
  ],
});

/**
 * Wherever one leaves something else than the terms' amount less, another grant begins. One of which an amount cannot be read stays whole: whoever folds
 * it sets all of it aside, as he did.
 */
const evenly = ({ change, tenant, terms, reservations }: SecondGranted): readonly HoldsGranted[] => {
  const unreadable = reservations.flatMap(({ remaining, graceRemaining }) => [remaining, graceRemaining]).find(isUnreadable);
  if (unreadable !== undefined || isUnreadable(terms.amount)) {
    return [
      {
        change,
        tenant,
        terms,
        reservationIds: reservations.map(({ id }) => id),
        ...(unreadable !== undefined && { remaining: unreadable }),
      },
    ];
  }
  const even: HoldsGranted[] = [];
  for (const { id, ...left } of reservations) {
    const last = even.at(-1);
    const next = last === undefined ? null : leftWith(last)(last.reservationIds.length);
    if (last !== undefined && next?.remaining === left.remaining && next?.graceRemaining === left.graceRemaining)
      last.reservationIds.push(id);
    else even.push({ change, tenant, terms, reservationIds: [id], ...left });
  }
  return even;
};

const isUnreadable = (amount: string | null | undefined): boolean => {
  if (amount == null) return false;
  try {
    parsePicos(amount);
    return false;
  } catch {
    return true;
  }
};
