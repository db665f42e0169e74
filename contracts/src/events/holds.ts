import { z } from 'zod';
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
  reservations: z.array(
    z.object({
      id: z.string(),
      /** Left of the tightest budget once it was held, in that budget's currency: said again to whoever asks again. null: no end. */
      remaining: Left.optional(),
      /** Until it blocks; absent: as much as remains. */
      graceRemaining: Left.optional(),
    }),
  ),
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
export const HoldsChanged = defineEvent('HoldsChanged', 2, z.object({ partition: z.number().int(), changes: z.array(Change) }), {
  1: ({ partition, changes }: First) => ({ partition, changes: changes.map((one) => (one.change === 'granted' ? granted(one) : one)) }),
});
export type HoldChange = z.infer<typeof Change>;
export type HoldsGranted = z.infer<typeof Granted>;
export type HoldTerms = z.infer<typeof Terms>;
export type HoldReservation = HoldsGranted['reservations'][number];

/** One reservation as it was granted. `tightest`: what was left of that budget with it. */
export type HoldGranted = Omit<HoldTerms, 'tightest'> &
  Readonly<{
    tenant: string;
    reservationId: string;
    tightest: Readonly<{ budgetId: string; remaining: string | null; graceRemaining: string | null }> | null;
  }>;

/** One of those that an event grants together. */
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

/** Said every reservation's terms anew. */
type First = Readonly<{
  partition: number;
  changes: readonly ((HoldGranted & Readonly<{ change: 'granted' }>) | Exclude<HoldChange, { change: 'granted' }>)[];
}>;

const granted = ({
  change,
  tenant,
  reservationId,
  tightest,
  ...terms
}: Extract<First['changes'][number], { change: 'granted' }>): HoldsGranted => ({
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
