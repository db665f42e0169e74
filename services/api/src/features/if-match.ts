import { Rejection } from '../domain/rejection.js';

/** What `If-Match` names, as the contract reads it: versions, `*` for any, null without the header. */
export type IfMatch = '*' | readonly number[] | null;

/** Throws `precondition_failed` for a version the client did not name. */
export const requireMatch = (ifMatch: IfMatch, version: number): void => {
  if (ifMatch === null || ifMatch === '*' || ifMatch.includes(version)) return;
  throw new Rejection('precondition_failed', `It is at version "${version}" now.`);
};
