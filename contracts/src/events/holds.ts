import { z } from 'zod';
import { defineEvent } from './envelope.js';
import { StoredAmount, StoredInstant, StoredScope } from './wire.js';

/** Stream `holds-<partition>`; both are fences too: an old owner's append fails at its expected revision. */
export const PartitionTaken = defineEvent(
  'PartitionTaken',
  1,
  z.object({ partition: z.number().int(), epoch: z.number().int(), owner: z.string() }),
);

const Granted = z.object({
  change: z.literal('granted'),
  tenant: z.string(),
  reservationId: z.string(),
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
  /** Units that no price covered: no budget that blocks applied, so nothing is held for them. */
  unpriced: z.array(z.string()).optional(),
  /** The position on which it was decided: what was known of rates then is what it is settled by. */
  decidedAt: z.number().int(),
  /** What it holds of each applicable budget, in the budget's currency. */
  budgets: z.array(z.object({ budgetId: z.string(), periodStart: StoredInstant, amount: StoredAmount })),
  /** Left of the tightest budget once it was held, in that budget's currency: said again to whoever asks again. */
  tightest: z.object({ budgetId: z.string(), remaining: StoredAmount.nullable(), graceRemaining: StoredAmount.nullable() }).nullable(),
});

const Ended = z.object({ tenant: z.string(), reservationId: z.string(), at: StoredInstant });

/**
 * Reservations granted, released or expired by one group commit of the partition's owner, packed. A grant, release or expiry that comes
 * after the usage that settles its hold changes nothing; an expiry recorded before the hold's `expiresAt` neither.
 */
export const HoldsChanged = defineEvent(
  'HoldsChanged',
  1,
  z.object({
    partition: z.number().int(),
    changes: z.array(
      z.discriminatedUnion('change', [
        Granted,
        Ended.extend({ change: z.literal('released') }),
        Ended.extend({ change: z.literal('expired') }),
      ]),
    ),
  }),
);
export type HoldGranted = z.infer<typeof Granted>;
export type HoldChange = z.infer<typeof HoldsChanged.data>['changes'][number];
