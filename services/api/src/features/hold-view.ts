import type { HeldOn } from '../adapters/sql/holds.js';
import { positionText } from '../adapters/sql/snapshot.js';

/** An open hold (contracts `Reservation`), as `GET /reservations/:id` of its owner says it. */
export const showHold = ({ reservation_id, status, granted, settled_by, flags, position }: HeldOn, partition: number): object => {
  const { amount, currency, category, dimensions, path, grantedAt, expiresAt, budgets, overrideIds, unpriced } = granted.terms;
  return {
    reservationId: reservation_id,
    status,
    amount,
    currency,
    ...(category !== undefined && { category }),
    ...(dimensions !== undefined && { dimensions }),
    path,
    grantedAt,
    expiresAt,
    budgets,
    ...(overrideIds !== undefined && { overrideIds }),
    ...(unpriced !== undefined && { unpriced }),
    endedAt: null,
    settledBy: settled_by,
    actual: null,
    flags,
    position: positionText(partition, position),
  };
};
