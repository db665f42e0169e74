import { z } from 'zod';
import { defineEvent } from './envelope.js';
import { StoredAmount, StoredInstant, StoredScope } from './wire.js';

/** Stream `holds-<partition>`; both are fences too: an old owner's append fails at its expected revision. */
export const PartitionTaken = defineEvent(
  'PartitionTaken',
  1,
  z.object({ partition: z.number().int(), epoch: z.number().int(), owner: z.string() }),
);

/** Reservations granted, released or expired by one group commit of the partition's owner, packed. */
export const HoldsChanged = defineEvent(
  'HoldsChanged',
  1,
  z.object({
    partition: z.number().int(),
    changes: z.array(
      z.discriminatedUnion('change', [
        z.object({
          change: z.literal('granted'),
          tenant: z.string(),
          reservationId: z.string(),
          bodyHash: z.string(),
          path: z.array(StoredScope),
          amount: StoredAmount,
          currency: z.string(),
          grantedAt: StoredInstant,
          expiresAt: StoredInstant,
          budgets: z.array(z.object({ budgetId: z.string(), periodStart: StoredInstant, amount: StoredAmount })),
        }),
        z.object({ change: z.literal('released'), tenant: z.string(), reservationId: z.string(), at: StoredInstant }),
        z.object({ change: z.literal('expired'), tenant: z.string(), reservationId: z.string(), at: StoredInstant }),
      ]),
    ),
  }),
);
