import { Problem } from '@bursar/platform';
import { OwnerChecks, type Question, type Verdict } from '../../features/owner-checks.js';
import type { Sender } from '../../features/usage-intake.js';
import type { Upstream } from './upstream.js';
import { type UpstreamDocument, upstreamProblem } from './upstream-problem.js';

const KEPT = ['bursar-budget', 'bursar-owner', 'bursar-position'];

/** Over HTTP at any replica of the projector, with the credential of who asked. */
export class ProjectorChecks extends OwnerChecks {
  /** null: this process was not told where it is. */
  constructor(private readonly upstream: Upstream | null) {
    super();
  }

  async check({ headers }: Sender, question: Question): Promise<Verdict> {
    if (this.upstream === null) throw new Problem('upstream_unavailable', 'No address of budget-projector is configured.');
    const answer = await this.upstream.forward({
      method: 'POST',
      path: '/api/v1/check',
      headers: { ...headers, 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(question), 'utf8'),
      repeatable: true,
    });
    const body: unknown = await answer.body.json();
    if (answer.statusCode !== 200) throw upstreamProblem('budget-projector', body as UpstreamDocument);
    const kept = KEPT.flatMap((name) => {
      const value = answer.headers[name];
      return typeof value === 'string' ? [[name, value] as const] : [];
    });
    return { answer: body as Verdict['answer'], headers: Object.fromEntries(kept) };
  }
}
