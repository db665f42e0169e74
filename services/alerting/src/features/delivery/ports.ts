import type { AlertRaisedData, StoredChannel } from '@bursar/contracts';
import type { AlertPreferences, StoredAttempt, StoredDelivery } from '@bursar/database';
import type { SendOutcome, Settled } from '../../domain/delivery/settle.js';
import type { Message } from '../../domain/delivery/summary.js';

/** What a summary tells of: how many notices were held back, from when to when. */
export type HeldBack = Readonly<{ count: number; from: string; to: string }>;

/** A delivery that this process, and no other, is to make an attempt of. */
export type Claimed = Readonly<{
  deliveryId: string;
  tenant: string;
  channelId: string;
  /** As it is now; null: it is gone, or there never was one. */
  channel: StoredChannel | null;
  alert: AlertRaisedData;
  preferences: AlertPreferences;
  /** Of a summary. */
  heldBack: HeldBack | null;
  /** Of this attempt, among all; and since the delivery was begun. */
  number: number;
  tries: number;
  /** Names this attempt: what it came to counts only while no other has taken over. */
  lease: string;
}>;

export type Claims = Readonly<{
  claimed: readonly Claimed[];
  /** Milliseconds until the next is due; null: nothing waits. */
  nextMs: number | null;
}>;

/** What becomes of a delivery without an attempt. */
export type Aside = Readonly<{
  status: 'not_configured' | 'channel_disabled' | 'channel_removed';
  preview: { subject: string; text: string } | null;
}>;

/** The deliveries of all replicas. Faults of the database surface as they are. */
export abstract class Deliveries {
  /** Takes what is due, at most `limit`, of tenants that are not excepted: per channel two at a time over all replicas. */
  abstract claim(limit: number, exceptTenants: readonly string[]): Promise<Claims>;
  /** Attempts that are under way still: claimed for so long again. Without effect on those that another process has taken over. */
  abstract renew(held: readonly Claimed[]): Promise<void>;
  /** What the attempt came to. Without effect when another process has taken it over meanwhile. */
  abstract settle(claimed: Claimed, attempt: StoredAttempt, settled: Settled): Promise<void>;
  /** As {@link settle} of one that was delivered, and takes in its place the next that is due to the same channel, if there is one. */
  abstract settleAndClaim(claimed: Claimed, attempt: StoredAttempt): Promise<Claimed | null>;
  abstract setAside(claimed: Claimed, aside: Aside): Promise<void>;
  /** Begins it anew, under the same id. Answers null when there is none, 'busy' when it is being sent, 'gone' when its channel is removed. */
  abstract replay(tenant: string, alertId: string, deliveryId: string): Promise<StoredDelivery | 'busy' | 'gone' | null>;
  abstract preferences(tenant: string): Promise<AlertPreferences>;
  /** How many wait; for metrics. */
  abstract waiting(): Promise<number>;
}

/** One thing to send. `id`: what a receiver knows it by, the same at every attempt. */
export type Sending = Readonly<{
  id: string;
  tenant: string;
  channel: StoredChannel;
  alert: AlertRaisedData;
  /** For people: whoever sends figures does not ask for it. */
  message: () => Promise<Message>;
  heldBack: HeldBack | null;
}>;

/** How one type of channel is reached. */
export abstract class Sender {
  /** False where the installation lacks what it takes, e.g. a mail server. */
  abstract isConfigured(channel: StoredChannel): boolean;
  /** Ends within `timeoutMs`. Never rejects for what the other side does. */
  abstract send(sending: Sending, timeoutMs: number): Promise<SendOutcome>;
}
export type Senders = Readonly<Record<StoredChannel['type'], Sender>>;

/** The words of an alert, by the tenant's templates. */
export abstract class Messages {
  abstract of(tenant: string, alert: AlertRaisedData, preferences: AlertPreferences): Promise<Message>;
}

/** Channels as the ledger has them now, ahead of the tables. */
export abstract class LedgerChannels {
  /** null: there is none. */
  abstract find(tenant: string, channelId: string): Promise<StoredChannel | null>;
  /** The target said that it is gone: the channel takes nothing until somebody changes it. */
  abstract disable(tenant: string, channelId: string, reason: string): Promise<void>;
}
