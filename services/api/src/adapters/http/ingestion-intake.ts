import type { SentUsage } from '@bursar/contracts/http';
import { type FieldError, PROBLEMS, type ProblemCode } from '@bursar/contracts/http';
import { Problem } from '@bursar/platform';
import { type Receipt, type Sender, UsageIntake } from '../../features/usage-intake.js';
import type { Upstream } from './upstream.js';

type Document = Readonly<{ code?: string; detail?: string; errors?: readonly FieldError[] }>;
type Results = Readonly<{ results: readonly [Readonly<{ status: string; eventId: string; position: string; problem?: Document }>] }>;

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
    if (answer.statusCode !== 202) throw toProblem(body as Document);
    const [{ status, eventId, position, problem }] = (body as Results).results;
    if (status === 'accepted' || status === 'duplicate') return { status, eventId, position };
    throw toProblem(problem ?? {});
  }
}

const toProblem = ({ code, detail, errors }: Document): Problem =>
  isCode(code)
    ? new Problem(code, detail, errors === undefined ? {} : { errors })
    : new Problem('upstream_unavailable', 'ingestion did not say what is wrong.');

const isCode = (code: string | undefined): code is ProblemCode => code !== undefined && Object.hasOwn(PROBLEMS, code);
