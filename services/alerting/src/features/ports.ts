import type { AlertRaisedData, EpochNs, EventMeta, LedgerEvent } from '@bursar/contracts';
import type { BudgetState } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import type { LeaseKey } from '@bursar/leases';
import type { Kysely } from 'kysely';
import type { Standing } from '../domain/figures.js';

/** An alert as the ledger has it. */
export type RecordedAlert = Readonly<{
  tenant: string;
  partition: number;
  /** Of its `AlertRaised` in the partition, and among the tenant's alerts: gap-free from 0. */
  position: number;
  revision: number;
  /** When it was raised; `data.at`: when its cause was recorded. */
  raisedAt: string;
  meta: EventMeta;
  data: AlertRaisedData;
  /** It was raised before these tables were begun: whoever delivered then has delivered it. */
  isOld: boolean;
}>;

/** What one transaction records: events of one partition in order, of those that anything is recorded of, and the alerts among them. */
export type RecordedBatch = Readonly<{ partition: number; last: number; events: readonly LedgerEvent[]; alerts: readonly RecordedAlert[] }>;

/** Something else that a batch brings about, in the transaction that records it: deliveries, channels. */
export abstract class Effect {
  /** Nothing outside the database: the transaction may fail, and the batch come again. */
  abstract apply(trx: Kysely<Database>, batch: RecordedBatch): Promise<void>;

  /** Is there anything to apply where this event is? Of other events nothing is recorded. */
  concerns(_event: LedgerEvent): boolean {
    return false;
  }

  /** The alerts are in the ledger, and are recorded next. They may be told again. Must not throw. */
  raised(_batch: RecordedBatch): void {}

  /** The batch is recorded: wake whoever works on it. Must not throw. */
  committed(_batch: RecordedBatch): void {}
}

/** An alert decided, and the event that it goes with in traces. */
export type Raising = Readonly<{ data: AlertRaisedData; meta: EventMeta; causeId: string }>;

/** The ledger, as far as alerts write it and read budgets from it. Faults of the store surface as they are. */
export abstract class AlertLedger {
  /** Appends in order; an alert raised already stays as it is. */
  abstract raise(partition: number, tenant: string, alerts: readonly Raising[]): Promise<void>;

  /** The head of a partition. */
  abstract head(partition: number): Promise<number>;
}

/** The tenant's budgets as the ledger defines them, at any position up to that of the batch in hand. */
export abstract class Budgets {
  abstract at(tenant: string, budgetId: string, position: number): Promise<BudgetState | null>;
  /** The next event of the partition, of any kind. */
  abstract fold(event: LedgerEvent): void;
  /** What is known is not kept up to date from here on: another process goes on with the partition. */
  abstract forget(partition: number): void;
}

/** When events of the ledger were recorded that others name as their cause. */
export abstract class Causes {
  /** By position; what is not there is absent. */
  abstract recordedAt(partition: number, positions: readonly number[]): Promise<ReadonlyMap<number, string>>;
}

/** What a notice of LiteLLM's is about. */
export abstract class Noticed {
  /** The oldest budget on the scope that counts all of its spend, as it was at the position; null: there is none. */
  abstract budgetOn(tenant: string, scope: string, position: number): Promise<BudgetState | null>;
  /** Had a warning (or, where `critical`, a critical) threshold of that period crossed before the position? */
  abstract hasCrossed(tenant: string, budgetId: string, periodStart: EpochNs, critical: boolean, before: number): Promise<boolean>;
}

/** What the projection says was spent in a budget's period, at best up to the moment. */
export abstract class Standings {
  abstract of(tenant: string, budget: BudgetState, at: EpochNs): Promise<Standing>;
}

/** What alerting keeps, and its checkpoints. Faults of the database surface as they are. */
export abstract class AlertTables {
  /**
   * Takes a partition: whoever had it before can record no more. Answers the checkpoint, and `begunAt`, the head at which these tables
   * were begun: `head`, the first time.
   */
  abstract begin(lease: LeaseKey, head: number): Promise<Readonly<{ position: number; begunAt: number }>>;

  /** Is there anything to record where this event is, whatever the effects do? */
  abstract concerns(event: LedgerEvent): boolean;

  /**
   * Behind and in order, many batches in one transaction: the checkpoint, alerts, acknowledgements, effects. Resolves at once unless too
   * much waits. Rejects with what an earlier one failed with: `CheckpointLostError` when another has the partition.
   */
  abstract record(batch: RecordedBatch, signal: AbortSignal): Promise<void>;
}

/** An alert as it was published: where stream ALERTS has it. */
export type Published = Readonly<{ tenant: string; alertId: string; sequence: number }>;

/** What of the recorded alerts is on the alert topics. */
export abstract class Publications {
  /** In the order of the ledger, at most `limit`. */
  abstract waiting(partition: number, limit: number): Promise<readonly RecordedAlert[]>;
  /** How many wait, in all partitions. */
  abstract unpublished(): Promise<number>;
  abstract note(published: readonly Published[]): Promise<void>;
  /** The highest place noted; 0: none. */
  abstract lastSequence(): Promise<number>;
  /** Which stream the places are of (when JetStream made it); null: none yet. */
  abstract stream(): Promise<string | null>;
  /** The stream is another one, or ends before what is noted: what it has not is to be published again. Answers how many. */
  abstract lost(stream: string, lastSequence: number): Promise<number>;
}

/** The alert topics on NATS. Nothing here throws because NATS is away. */
export abstract class AlertTopics {
  /** Is there a stream, and is it known to have what was published? */
  abstract ready(): Promise<boolean>;
  /** Its place in the stream; null: not stored, or not known. */
  abstract publish(alert: RecordedAlert): Promise<number | null>;
}
