import { type FieldError, PROBLEMS, type ProblemCode } from '@bursar/contracts/http';
import { Problem } from '@bursar/platform';

/** What of another service's problem document is passed on. */
export type UpstreamDocument = Readonly<{ code?: string; detail?: string; errors?: readonly FieldError[] }>;

/** The problem another service answered, as our own. */
export const upstreamProblem = (service: string, { code, detail, errors }: UpstreamDocument): Problem =>
  isCode(code)
    ? new Problem(code, detail, errors === undefined ? {} : { errors })
    : new Problem('upstream_unavailable', `${service} did not say what is wrong.`);

const isCode = (code: string | undefined): code is ProblemCode => code !== undefined && Object.hasOwn(PROBLEMS, code);
