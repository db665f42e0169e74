import { type NatsRequest, NatsRequests, type Reply } from '@bursar/bus/nest';
import { budgetsSubject } from '@bursar/contracts/bus';
import { ReleaseBody, type ReservationBody, routeOf } from '@bursar/contracts/http';
import { Logger, readBody, validate } from '@bursar/platform';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Reserve } from '../../features/reserve.js';
import { respond, wayOf } from './responding.js';

const ROUTES = { reserve: routeOf('reserve'), release: routeOf('releaseReservation') };

/** Answers requests on `budgets.<tenant>.reserve` and `.release` with what the HTTP calls answer; a release with an empty object. */
@Controller()
export class ReservationsResponder {
  constructor(
    private readonly reservations: Reserve,
    private readonly logger: Logger,
  ) {}

  @NatsRequests(budgetsSubject('*', 'reserve'), { name: 'reserve', queue: 'budget-projector', operation: 'reserveByRequest' })
  reserve(request: NatsRequest): Reply | Promise<Reply> {
    return respond(request, this.logger, (received) => {
      const { tenant, text } = received;
      const way = wayOf({ tenant, method: 'POST', path: ROUTES.reserve.path, body: text }, received);
      return this.reservations.reserve(readBody(ROUTES.reserve, received.body) as z.output<typeof ReservationBody>, way, null);
    });
  }

  @NatsRequests(budgetsSubject('*', 'release'), { name: 'release', queue: 'budget-projector', operation: 'releaseByRequest' })
  release(request: NatsRequest): Reply | Promise<Reply> {
    return respond(request, this.logger, (received) => {
      const { tenant, body } = received;
      const { reservationId } = validate(ReleaseBody, body);
      const path = ROUTES.release.path.replace(':id', encodeURIComponent(reservationId));
      return this.reservations.release(reservationId, wayOf({ tenant, method: 'DELETE', path, body: () => null }, received));
    });
  }
}
