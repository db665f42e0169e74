import { type NatsRequest, NatsRequests, type Reply } from '@bursar/bus/nest';
import { budgetsSubject } from '@bursar/contracts/bus';
import { type CheckBody, routeOf } from '@bursar/contracts/http';
import { Logger, readBody } from '@bursar/platform';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Check } from '../../features/check.js';
import { respond, wayOf } from './responding.js';

const ROUTE = routeOf('check');

/** Answers requests on `budgets.<tenant>.check` with what `POST /check` answers. */
@Controller()
export class CheckResponder {
  constructor(
    private readonly checks: Check,
    private readonly logger: Logger,
  ) {}

  @NatsRequests(budgetsSubject('*', 'check'), { name: 'check', queue: 'budget-projector', operation: 'checkByRequest' })
  answer(request: NatsRequest): Reply | Promise<Reply> {
    return respond(request, this.logger, (received) => {
      const { tenant, text } = received;
      const body = readBody(ROUTE, received.body) as z.output<typeof CheckBody>;
      return this.checks.check(body, wayOf({ tenant, method: 'POST', path: ROUTE.path, body: text }, received));
    });
  }
}
