import type { Audience } from '../domain/check/audience.js';
import type { Answer } from './answer.js';

/** A call as another replica can make it in the caller's place, whom we have admitted. */
export type Call = Readonly<{
  tenant: string;
  method: 'GET' | 'POST' | 'DELETE';
  /** With its query. */
  path: string;
  /** null: it has none. Asked for only when the call is passed on. */
  body: () => string | null;
  /** `Prefer`, as it was sent. */
  prefer: string | null;
  /** Whom the answer is for. */
  audience: Audience;
}>;

/** The other replicas. */
export abstract class Owners {
  /** Where the owner of the partition is asked; null: nobody owns it just now, or it does not say. */
  abstract urlOf(partition: number): Promise<string | null>;

  /** Its answer; null: it could not be asked, did not answer in time, or is not the owner. Never rejects. */
  abstract ask(url: string, call: Call, timeoutMs: number): Promise<Answer | null>;
}
