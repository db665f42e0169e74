import { Rejection } from '../domain/rejection.js';

/** Throws `precondition_failed` for a version the client did not name. */
export type IfMatch = (version: number) => void;

/** Of an `If-Match` header (RFC 9110 §13.1.1): strong validators compared as text, `*` matches whatever exists. Undefined without one. */
export const readIfMatch = (header: string | undefined): IfMatch | undefined => {
  if (header === undefined || header.trim() === '*') return undefined;
  const named = header.split(',').map((tag) => tag.trim());
  return (version) => {
    if (!named.includes(`"${version}"`)) throw new Rejection('precondition_failed', `It is at version ${version} now.`);
  };
};
