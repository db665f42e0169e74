import type { SentUsage } from '@bursar/contracts/http';
import { Problem } from '@bursar/platform';
import { type Receipt, type Sender, UsageIntake } from '../../features/usage-intake.js';
import type { Upstream } from './upstream.js';
import { type UpstreamDocument, upstreamProblem } from './upstream-problem.js';

type Results = Readonly<{
  results: readonly [Readonly<{ status: string; eventId: string; position: string; problem?: UpstreamDocument }>];
}>;

/** Over HTTP at the ingestion service, with the credential of who asked. */
export class IngestionIntake extends UsageIntake {
  /** null: this process was not told where it is. */
  constructor(private readonly upstream: Upstream | null) {
    super();
  }

  async record({ headers }: Sender, event: SentUsage): Promise<Receipt> {
    if (this.upstream === null) throw new Problem('upstream_unavailable', 'No address of ingestion is configured.');
    const answer = await this.upstream.forward({
      method: 'POST',
      path: '/api/v1/usage',
      headers: { ...headers, 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(event), 'utf8'),
      repeatable: true,
    });
    const body: unknown = await answer.body.json();
    if (answer.statusCode !== 202) throw upstreamProblem('ingestion', body as UpstreamDocument);
    const [{ status, eventId, position, problem }] = (body as Results).results;
    if (status === 'accepted' || status === 'duplicate') return { status, eventId, position };
    throw upstreamProblem('ingestion', problem ?? {});
  }
}
