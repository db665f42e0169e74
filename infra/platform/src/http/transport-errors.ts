import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { ProblemCode } from '@bursar/contracts/http';
import { Problem } from './problem.js';
import { problemAnswer } from './to-problem.js';

/** What node's parser refuses before there is a request: no route, no hook and no reply object, so the answer is written by hand. */
const BY_CODE: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** Answers once, as a problem, and closes the connection: what follows on it cannot be trusted to begin a request. */
export const answerTransportError = (error: NodeJS.ErrnoException, socket: Socket): void => {
  // A client that hung up, or an answer already under way, gets no second one.
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > (answered.get(socket) ?? 0)) {
    socket.destroy();
    return;
  }
  const problem = new Problem(BY_CODE[error.code ?? ''] ?? 'bad_request');
  const { body } = problemAnswer(problem, randomUUID());
  socket.end(
    `HTTP/1.1 ${problem.status} ${REASONS[problem.status] ?? 'Bad Request'}\r\ncontent-type: application/problem+json\r\n` +
      `cache-control: no-store\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
};

const REASONS: Readonly<Record<number, string>> = { 408: 'Request Timeout', 431: 'Request Header Fields Too Large' };

/** Bytes written to a keep-alive connection by answers that are complete. */
const answered = new WeakMap<Socket, number>();
export const noteAnswered = (socket: Socket): void => {
  answered.set(socket, socket.bytesWritten);
};
