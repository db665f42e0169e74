import { type CheckBody, type ReservationBody, routeOf } from '@bursar/contracts/http';
import type { ShortRoute } from '@bursar/platform';
import type { z } from 'zod';
import type { Check } from '../../features/check.js';
import type { Reserve } from '../../features/reserve.js';
import { wayOf } from './way.js';

/** What callers ask before and with every spend, around the pipeline; the controllers answer the same. */
export const shortRoutes = (checks: Check, reservations: Reserve): readonly ShortRoute[] => [
  {
    route: routeOf('check'),
    answer: (request) => checks.check(request.body as z.output<typeof CheckBody>, wayOf(request, request.caller, {})),
  },
  {
    route: routeOf('reserve'),
    answer: (request) =>
      reservations.reserve(request.body as z.output<typeof ReservationBody>, wayOf(request, request.caller, {}), request.idempotencyKey),
  },
];
