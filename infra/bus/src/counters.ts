/** What happened on the bus of this process since it started. Each is a metric `bursar_bus_<snake_case>_total`. */
const HELP = {
  rangesPublished: 'range messages sent to ledger.*',
  rangesAcked: 'range messages that JetStream acknowledged as stored',
  rangesFailed: 'range messages refused by JetStream, or unacknowledged in time or at a disconnect',
  rangesDropped: 'ranges not sent: no connection, or too many unacknowledged; consumers read them from the store',
  wakesPublished: 'ranges too large for one message, announced without their events',
  noticesPublished: 'notices of appends sent to appended.*',
  noticesReceived: 'notices of appends that arrived from appended.*',
  rangesReceived: 'range messages that arrived from ledger.*',
  messagesMalformed: 'messages on ledger.* and appended.* that are not what belongs there; ignored',
  rangesForged: 'ranges whose bytes or link the store does not confirm; ignored, the store was read instead',
  rangesOverflowed: 'ranges that arrived while the buffer was full; read from the store later',
  eventsFromBus: 'events handed to consumers from range messages',
  eventsFromStore: 'events handed to consumers from reads of the store',
  eventsPassedOver: 'events of types that their consumer has no use for, passed over in the store',
  gapsRead: 'holes between range messages that were filled from the store',
  storeReads: 'reads of the store by consumers',
  storeReadFailures: 'reads of the store that failed and were retried',
  connects: 'connections made to NATS, reconnects included',
  reconnects: 'connections made to NATS after one was lost',
  disconnects: 'connections to NATS that were lost',
  streamRepairs: 'streams made or set right by the configuration check',
  streamProblems: 'streams the configuration check could not set right',
  relayRanges: 'ranges the relay published because ledger.* did not cover them',
  fanoutMessages: 'messages the relay published to events.*',
  fanoutRewinds: 'times stream EVENTS had lost messages, and the relay went back to fan them out again',
  fanoutFailures: 'messages to events.* that were refused or unacknowledged and are tried again',
  consumersRevived: 'consumers of the ledger that were behind and did nothing for 10 s, and subscribed anew',
  repliesRefused: 'requests ignored because their reply was to go to a subject of ours or of the server',
  durableBatches: 'batches from durable consumers handed to handlers',
  durableMessages: 'messages in these batches',
  durableFailures: 'batches whose handler failed; what it left unsettled comes again',
  durableUnreadable: 'messages from durable consumers that could not be read and were terminated',
  durableReopened: 'durable consumers that were opened again after an interruption',
  durableRewinds: 'times a durable consumer had passed over messages that are still stored, and was made anew to deliver them',
  fanoutSkipped: 'events too large for a message to events.*; they stay readable in the store',
} as const;

export type CounterName = keyof typeof HELP;
export type Counters = Record<CounterName, number>;
/** One figure for whoever registers the process's metrics: a count, unless it is said to be a gauge. */
export type Sample = Readonly<{ name: string; help: string; value: number; kind?: 'gauge'; labels?: Readonly<Record<string, string>> }>;

const NAMES = Object.keys(HELP) as CounterName[];

export const newCounters = (): Counters => Object.fromEntries(NAMES.map((name) => [name, 0])) as Counters;

/** The counters under their Prometheus names, for a `collect` hook. */
export const samplesOf = (counters: Readonly<Counters>): readonly Sample[] =>
  NAMES.map((name) => ({
    name: `bursar_bus_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_total`,
    help: HELP[name],
    value: counters[name],
  }));

export const gauge = (name: string, help: string, value: number): Sample => ({ name, help, value, kind: 'gauge' });
