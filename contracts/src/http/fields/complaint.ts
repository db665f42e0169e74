import { type IssueCode, PROBLEMS } from '../problem.js';

/** Why a value was refused. Readers answer it instead of throwing: refused input is a normal case. Messages never quote the value. */
export class Complaint {
  constructor(
    readonly code: IssueCode,
    readonly message: string = PROBLEMS[code].title,
    /** Where below the value it is, outermost first. */
    readonly path: readonly (string | number)[] = [],
  ) {}
}

/** What a reader answers: the normalised value, or why there is none. */
export type Reading<T> = T | Complaint;

/** The same complaint, one level further out. */
export const under = (key: string | number, complaint: Complaint): Complaint =>
  new Complaint(complaint.code, complaint.message, [key, ...complaint.path]);
