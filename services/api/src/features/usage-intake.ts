import type { SentUsage } from '@bursar/contracts/http';

/** Headers that say who asks, passed on as they came; and the key of the request, null without. */
export type Sender = Readonly<{ headers: Readonly<Record<string, string>>; idempotencyKey: string | null }>;

export type Receipt = Readonly<{ status: 'accepted' | 'duplicate'; eventId: string; position: string }>;

/** Where usage is recorded: by the service whose it is. */
export abstract class UsageIntake {
  /** Throws the problem the event was refused with; 503 when nobody answered. Sent again, the same event is a duplicate. */
  abstract record(sender: Sender, event: SentUsage): Promise<Receipt>;
}
