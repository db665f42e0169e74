import type { Bus } from '@bursar/bus';
import { ALERTS_STREAM, alertsSubject } from '@bursar/contracts/bus';
import { jetstreamManager } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { AlertTopics, type Publications, type RecordedAlert } from '../../features/ports.js';
import { alertCloudEvent } from './alert-cloud-event.js';

const CHECK_MS = 10_000;
const API_TIMEOUT_MS = 3_000;

/**
 * `alerts.<tenant>.…` on stream ALERTS. Before anything is published on a connection, and every 10 s, it is seen whether the stream still
 * has what it acknowledged: it may come back wiped, or as an older copy (RELIABILITY F11, F12). What it lost is published again.
 */
export class NatsTopics extends AlertTopics {
  #checkedAt = Number.NEGATIVE_INFINITY;
  #checking: Promise<boolean> | null = null;
  #told = '';
  /** Of what this process had stored last. */
  #highest = 0;

  constructor(
    private readonly bus: Bus,
    private readonly publications: Publications,
    private readonly now: () => number = () => performance.now(),
  ) {
    super();
    bus.onDisconnect(() => {
      this.#checkedAt = Number.NEGATIVE_INFINITY;
    });
  }

  async ready(): Promise<boolean> {
    if (!this.bus.connected) return false;
    if (this.now() - this.#checkedAt < CHECK_MS) return true;
    this.#checking ??= this.#check().finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  async publish(alert: RecordedAlert): Promise<number | null> {
    const { tenant, data, meta } = alert;
    const fields = headers();
    fields.set('Content-Type', 'application/cloudevents+json');
    fields.set('Nats-Msg-Id', data.alertId);
    if (meta.traceparent !== undefined) fields.set('traceparent', meta.traceparent);
    if (meta.traceparent !== undefined && meta.tracestate !== undefined) fields.set('tracestate', meta.tracestate);
    const { severity, scope, budgetId } = data;
    const body = Buffer.from(JSON.stringify(alertCloudEvent(alert)), 'utf8');
    const stored = await this.bus.store(alertsSubject({ tenant, severity, scope, budgetId }), body, fields);
    if (stored === null) return null;
    if (stored.duplicate) return stored.sequence;
    // Sequences never go back in the same stream: this is another one.
    if (stored.sequence < this.#highest) this.#checkedAt = Number.NEGATIVE_INFINITY;
    this.#highest = stored.sequence;
    return stored.sequence;
  }

  /** Rejects when the database does; a stream that cannot be read, or is not there yet, is not ready. */
  async #check(): Promise<boolean> {
    const noted = await this.publications.lastSequence();
    const known = await this.publications.stream();
    const stream = await this.#stream();
    if (stream === null) return false;
    if (stream.created !== known || stream.sequence < noted) {
      const again = await this.publications.lost(stream.created, stream.sequence);
      if (again > 0)
        this.bus.logger.warn(
          { stream: ALERTS_STREAM, alerts: again },
          'the stream lost alerts that it had stored; they are published again',
        );
    }
    this.#checkedAt = this.now();
    return this.bus.connected;
  }

  async #stream(): Promise<Readonly<{ created: string; sequence: number }> | null> {
    const nc = this.bus.connection;
    if (nc === null) return null;
    try {
      const { streams } = await jetstreamManager(nc, { timeout: API_TIMEOUT_MS, checkAPI: false });
      const { created, state } = await streams.info(ALERTS_STREAM);
      this.#told = '';
      return { created, sequence: state.last_seq };
    } catch (error) {
      const text = String(error);
      if (text !== this.#told)
        this.bus.logger.warn({ stream: ALERTS_STREAM, error: text }, 'the stream cannot be read; alerts wait for it');
      this.#told = text;
      return null;
    }
  }
}
