import type { Duplex } from 'node:stream';
import type { ClientBase, Connection, Submittable } from 'pg';
import type { Statement } from './statements.js';

/**
 * One prepared statement with its parameters; `raw` messages (the data of a COPY) follow it on the wire. Both are made when their turn
 * comes, while the server already works on what was sent before.
 */
export type Step = Readonly<{ statement: Statement; values?: () => readonly (string | Buffer)[]; raw?: readonly (() => Buffer)[] }>;

/** A row as the server sent it: text, or null. */
export type RawRow = readonly (string | null)[];

/** The parts of pg's connection that its own query classes use. */
type Wire = {
  readonly stream: Duplex;
  close(what: { type: 'S'; name: string }): void;
  parse(query: { name: string; text: string }): void;
  bind(config: { statement: string; values: readonly (string | Buffer)[] }): void;
  execute(): void;
  sync(): void;
};

/** The names that are prepared on a connection. */
const preparedOn = new WeakMap<Wire, Set<string>>();

/**
 * Sends several prepared statements and a COPY's data without waiting in between and reads all answers: one round trip, where `client.query` and
 * pg-copy-streams take one each. The server runs them in order and, after an error, skips to the end; without `begin` they are one
 * transaction, committed before the answer that resolves this.
 */
class Pipeline implements Submittable {
  private readonly rows: RawRow[][] = [];
  private current: RawRow[] = [];
  private failed = false;
  private prepared: Set<string> | undefined;

  constructor(
    private readonly steps: readonly Step[],
    private readonly resolve: (rows: readonly (readonly RawRow[])[]) => void,
    private readonly reject: (error: Error) => void,
  ) {}

  submit(connection: Connection): void {
    const wire = connection as unknown as Wire;
    const prepared = preparedOn.get(wire) ?? new Set();
    preparedOn.set(wire, prepared);
    this.prepared = prepared;
    wire.stream.cork();
    for (const { statement, values, raw = [] } of this.steps) {
      const { name, text } = statement;
      if (!prepared.has(name)) {
        // A pipeline that failed may have prepared it or not; closing what is not there is no error.
        wire.close({ type: 'S', name });
        wire.parse({ name, text });
      }
      wire.bind({ statement: name, values: values?.() ?? [] });
      wire.execute();
      raw.forEach((message, index) => {
        if (index > 0) flush(wire);
        wire.stream.write(message());
      });
    }
    wire.sync();
    wire.stream.uncork();
  }

  handleDataRow(message: { fields: RawRow }): void {
    this.current.push(message.fields);
  }

  handleCommandComplete(): void {
    this.rows.push(this.current);
    this.current = [];
  }

  handleError(error: Error): void {
    this.failed = true;
    this.reject(error);
  }

  handleReadyForQuery(): void {
    if (this.failed) return;
    for (const { statement } of this.steps) this.prepared?.add(statement.name);
    this.resolve(this.rows);
  }

  /** The data is already on its way. */
  handleCopyInResponse(): void {}

  handleRowDescription(): void {}
}

const flush = ({ stream }: Wire): void => {
  stream.uncork();
  stream.cork();
};

/** Rejects with the server's error, or with `timeout` after cutting the connection: the outcome is unknown then. */
export const runPipeline = (client: ClientBase, steps: readonly Step[], timeoutMs: number): Promise<readonly (readonly RawRow[])[]> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const { connection } = client as unknown as { connection: Wire };
      connection.stream.destroy(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    const done =
      <T>(settle: (value: T) => void) =>
      (value: T) => {
        clearTimeout(timer);
        settle(value);
      };
    client.query(new Pipeline(steps, done(resolve), done(reject)));
  });
