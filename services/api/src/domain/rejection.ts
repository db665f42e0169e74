import type { IssueCode, ProblemCode } from '@bursar/contracts/http';

/** What a decider may answer instead of events. Each has its HTTP status in the contracts' table of problems, nowhere here. */
export type RejectionCode = Extract<
  ProblemCode,
  IssueCode | 'not_found' | 'already_exists' | 'scope_cycle' | 'in_use' | 'budget_deleted' | 'no_open_period' | 'precondition_failed'
>;

/** A domain answer, not a fault: the command cannot be, and says which field made it so (RFC 6901 pointer, absent when none did). */
export class Rejection extends Error {
  override readonly name = 'Rejection';
  constructor(
    readonly code: RejectionCode,
    detail: string,
    readonly pointer?: string,
  ) {
    super(detail);
  }
}
