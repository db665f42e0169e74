import type { ScopeRef } from '@bursar/contracts';
import type { ExplainBody } from '@bursar/contracts/http';
import { Caller, type Principal } from '@bursar/platform';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import type { Answer } from '../../features/answer.js';
import { Explain } from '../../features/explain.js';
import { MyBudget } from '../../features/my-budget.js';
import type { Sender } from '../../features/usage-intake.js';
import { Input, Operation } from './operation.js';
import { SenderOf } from './sender.js';

/** What the api itself says of enforcement; check and reservations are passed on. */
@Controller()
export class EnforcementController {
  constructor(
    private readonly explain: Explain,
    private readonly myBudget: MyBudget,
  ) {}

  @Operation('explain', 'budget')
  why(
    @Input() { body }: { body: z.output<typeof ExplainBody> },
    @SenderOf() sender: Sender,
    @Caller() { tenant }: Principal,
  ): Promise<Answer> {
    return this.explain.execute(tenant, sender, body);
  }

  @Operation('getMyBudget', 'budget')
  mine(@Input() { query }: { query: { scope?: ScopeRef } }, @SenderOf() sender: Sender, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.myBudget.get(tenant, sender, query.scope);
  }
}
