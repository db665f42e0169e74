import { type NatsRequest, NatsRequests, type Reply } from '@bursar/bus/nest';
import { budgetsSubject } from '@bursar/contracts/bus';
import { CheckBody, routeOf } from '@bursar/contracts/http';
import { Logger, validate } from '@bursar/platform';
import { Controller } from '@nestjs/common';
import { Check } from '../../features/check.js';
import { respond, wayOf } from './responding.js';

const { path } = routeOf('check');

/** Answers requests on `budgets.<tenant>.check` with what `POST /check` answers. */
@Controller()
export class CheckResponder {
  constructor(
    private readonly checks: Check,
    private readonly logger: Logger,
  ) {}

  @NatsRequests(budgetsSubject('*', 'check'), { name: 'check', queue: 'budget-projector', operation: 'checkByRequest' })
  async answer(request: NatsRequest): Promise<Reply> {
    return respond(request, this.logger, (received) => {
      const { tenant, text, body } = received;
      return this.checks.check(validate(CheckBody, body), wayOf({ tenant, method: 'POST', path, body: text }, received));
    });
  }
}
