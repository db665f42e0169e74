import type { AlertRaisedData, EpochNs, EventMeta, LedgerEvent } from '@bursar/contracts';
import type { BudgetState } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
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

/** What one transaction records: events of one partition in order, and the alerts among them. */
export type RecordedBatch = Readonly<{ partition: number; last: number; events: readonly LedgerEvent[]; alerts: readonly RecordedAlert[] }>;

/** Something else that a batch brings about, in the transaction that records it: deliveries, channels. */
export abstract class Effect {
  /** Nothing outside the database: the transaction may fail, and the batch come again. */
  abstract apply(trx: Kysely<Database>, batch: RecordedBatch): Promise<void>;

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

/** What the projection says was spent in a budget's period, at best up to the moment. */
export abstract class Standings {
  abstract of(tenant: string, budget: BudgetState, at: EpochNs): Promise<Standing>;
}

/** Another process has recorded this batch: begin again after its checkpoint. */
export class OvertakenError extends Error {
  override readonly name = 'OvertakenError';
}

export abstract class AlertTables {
  /** The checkpoint; with the first one the tables begin, at the ledger's head. */
  abstract begin(partition: number, head: number): Promise<Readonly<{ position: number; begunAt: number }>>;

  /** In one transaction: checkpoint `after` → last, alerts, acknowledgements, effects. Rejects with {@link OvertakenError}. */
  abstract record(after: number, batch: RecordedBatch, effects: readonly Effect[]): Promise<void>;
}
