import type { CheckAnswer } from '@bursar/contracts/http';
import type { z } from 'zod';
import type { Sender } from './usage-intake.js';

/** What is asked of whoever decides for the tenant. Amounts are decimal text. */
export type Question = Readonly<{
  scopes: readonly string[];
  amount: string;
  currency?: string;
  category?: string;
  dimensions?: Readonly<Record<string, string>>;
}>;
export type Verdict = Readonly<{
  answer: z.infer<typeof CheckAnswer>;
  /** `Bursar-Budget` and the like, by lower-case name. */
  headers: Readonly<Record<string, string>>;
}>;

/** The owner of the tenant's partition, asked as a client would ask it. */
export abstract class OwnerChecks {
  /** Throws the problem it answered; 503 when nobody did. */
  abstract check(sender: Sender, question: Question): Promise<Verdict>;
}
