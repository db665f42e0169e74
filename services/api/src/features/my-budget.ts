import { rootScope, type ScopeRef } from '@bursar/contracts';
import { Injectable } from '@nestjs/common';
import { type Answer, ok } from './answer.js';
import { OwnerChecks, type Verdict } from './owner-checks.js';
import type { Sender } from './usage-intake.js';

type Figures = Pick<Verdict['answer'], 'graceRemaining' | 'currency'>;

/** The least there is: where that fits, there is room; also where the figures of the budget are not the caller's to see. */
const LEAST = '0.000000000001';

/**
 * What the calling key may still spend (PRODUCT C12): the tightest budget of its scope and all above, from the owner's memory, holds
 * included. A key that says nothing of a user or a scope is the tenant's: its scope is the root, or the one it asks about.
 */
@Injectable()
export class MyBudget {
  constructor(private readonly owner: OwnerChecks) {}

  async get(tenant: string, sender: Sender, scope: ScopeRef | undefined): Promise<Answer> {
    const scopes = [scope ?? rootScope(tenant)];
    const { answer, headers } = await this.owner.check(sender, { scopes, amount: LEAST });
    const { allowed, reason = null, worstOvershoot: _, ...figures } = answer;
    const canSpend = allowed && (await this.#fits(sender, scopes, figures));
    return ok({ scopes, canSpend, reason, ...figures }, headers);
  }

  /** It was allowed: because nothing blocks, or because in the budget's currency the least was nothing? Asked of it in that one, where nothing is left. */
  async #fits(sender: Sender, scopes: readonly ScopeRef[], { graceRemaining = null, currency }: Figures): Promise<boolean> {
    if (currency === undefined || graceRemaining === null || !/^(?:-|0$)/.test(graceRemaining)) return true;
    const { answer } = await this.owner.check(sender, { scopes, amount: LEAST, currency });
    return answer.code !== 'budget_exceeded';
  }
}
