import type { Socket } from 'node:net';
import type { Deadlines } from './deadlines.js';
import { type AnswerLine, Exchange, type ExchangeNeeds, type WholeAnswer } from './exchange.js';
import type { Outbox, Sender } from './outbox.js';
import { answerText, isLast } from './plain-answer.js';
import type { ShortGate, ShortHead } from './short-gate.js';
import { answerTransportError, noteAnswered } from './transport-errors.js';

const HEAD_END = '\r\n\r\n';
/** Longer heads are no small calls. */
const LONGEST_HEAD = 4 * 1024;
/** As node does it: so much longer than the client is told, or it would send on a connection that is just being closed. */
const IDLE_LONGER_MS = 1_000;

export type PlainNeeds = ExchangeNeeds &
  Readonly<{
    gate: ShortGate;
    outbox: Outbox;
    /** Says of a connection that a request is still not there as a whole. */
    patience: Deadlines<PlainConnection>;
    keepAliveMs: number;
    /** The connection is node's from here on, which first reads what is put back. */
    handOver: (socket: Socket) => void;
    /** It is gone, or node's. */
    left: (connection: PlainConnection) => void;
  }>;

/**
 * A connection whose requests are read, and answered, without node's `http`, which takes most of a small call (ADR 0031): one after the other, each of them
 * plain, let in, and soon there as a whole. At the first that is anything else the connection is handed over for good, with what has come of that request:
 * so limits, timeouts and refusals are node's and the pipeline's, and there is no second opinion of what is odd.
 */
export class PlainConnection implements AnswerLine, Sender {
  /** Of a request that is not there as a whole, or of one that was sent before the last was answered. */
  private received: Buffer | null = null;
  private exchange: Exchange | null = null;
  private answer: Readonly<{ text: string; encoding: BufferEncoding; isLast: boolean }> | null = null;
  private isWaiting = false;
  /** A client sends the same head again and again. */
  private last: Readonly<{ text: string; head: ShortHead | null }> = { text: '', head: null };

  constructor(
    private readonly socket: Socket,
    private readonly needs: PlainNeeds,
  ) {
    socket.on('data', this.onData).on('end', this.onEnd).on('close', this.onClose).on('error', this.onError).on('timeout', this.onTimeout);
    socket.setTimeout(needs.keepAliveMs + IDLE_LONGER_MS);
    this.wait();
  }

  isOpen(): boolean {
    return this.socket.writable;
  }

  write(answer: WholeAnswer): void {
    const text = answerText(answer, this.needs.keepAliveMs);
    // Of one byte a character, it is written as it is.
    const encoding = (answer.length ?? 0) === answer.body.length ? 'latin1' : 'utf8';
    this.answer = { text, encoding, isLast: isLast(answer.headers) };
    this.needs.outbox.add(this);
  }

  deliver(): void {
    if (this.answer !== null) this.socket.write(this.answer.text, this.answer.encoding, this.onWritten);
  }

  /** It takes its time: node has limits for that. */
  giveUp(): void {
    this.isWaiting = false;
    this.handOver();
  }

  closeIfIdle(): void {
    if (this.exchange === null && this.received === null) this.close();
  }

  close(): void {
    this.socket.destroy();
  }

  private readonly onData = (chunk: Buffer): void => {
    this.received = this.received === null ? chunk : Buffer.concat([this.received, chunk]);
    if (this.exchange === null) this.read(this.received);
    else if (this.received.length > LONGEST_HEAD) this.socket.pause();
  };

  private read(received: Buffer): void {
    const text = received.toString('latin1', 0, LONGEST_HEAD);
    const headEnd = text.indexOf(HEAD_END);
    if (headEnd === -1) {
      if (text.length < LONGEST_HEAD) this.wait();
      else this.handOver();
      return;
    }
    const head = this.headOf(text.slice(0, headEnd));
    const bodyAt = headEnd + HEAD_END.length;
    const missing = head === null ? -1 : bodyAt + head.bytes - received.length;
    if (missing > 0) {
      this.wait();
      return;
    }
    const admitted = head === null || missing < 0 ? null : this.needs.gate.admit(head);
    if (admitted === null) {
      this.handOver();
      return;
    }
    this.received = null;
    this.waitNoMore();
    this.exchange = new Exchange(this, admitted, this.needs);
    this.exchange.take(received.subarray(bodyAt));
  }

  private headOf(text: string): ShortHead | null {
    if (text !== this.last.text) this.last = { text, head: this.needs.gate.readText(text) };
    return this.last.head;
  }

  /** However slowly a request comes, it has so long from its first byte. */
  private wait(): void {
    if (!this.isWaiting) this.needs.patience.begin(this);
    this.isWaiting = true;
  }

  private waitNoMore(): void {
    if (this.isWaiting) this.needs.patience.end(this);
    this.isWaiting = false;
  }

  private readonly onWritten = (error?: Error | null): void => {
    this.exchange?.end(error == null);
    this.exchange = null;
    const ends = this.answer?.isLast === true;
    this.answer = null;
    if (ends) this.socket.destroySoon();
    // Whoever does not wait for his answer is served by node.
    else if (this.received !== null && this.socket.writable) this.handOver();
  };

  private handOver(): void {
    const { socket, received } = this;
    this.leave();
    socket.setTimeout(0);
    noteAnswered(socket);
    // Paused meanwhile, or what is put back would be nobody's.
    socket.pause();
    if (received !== null) socket.unshift(received);
    this.needs.handOver(socket);
    socket.resume();
  }

  private leave(): void {
    this.socket.off('data', this.onData).off('end', this.onEnd).off('close', this.onClose).off('error', this.onError);
    this.socket.off('timeout', this.onTimeout);
    this.received = null;
    this.waitNoMore();
    this.needs.left(this);
  }

  /** The other side sends no more; as with node, it gets no answer either. */
  private readonly onEnd = (): void => {
    if (this.received === null || this.exchange !== null) this.socket.end();
    else answerTransportError(Object.assign(new Error('half a request'), { code: 'HPE_INVALID_EOF_STATE' }), this.socket);
  };

  private readonly onClose = (): void => {
    this.exchange?.end(false);
    this.exchange = null;
    this.leave();
  };

  /** It closes then, which is heard as well. */
  private readonly onError = (): void => undefined;

  private readonly onTimeout = (): void => {
    if (this.exchange === null) this.socket.destroy();
  };
}
