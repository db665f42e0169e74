import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** How long, and how much, a refused sender is listened to. Whoever sends on beyond that finds the connection reset. */
const LINGER_MS = 5_000;
const LINGER_BYTES = 64 * 1024 * 1024;

/**
 * An answer that ends when the request does. Closing a socket that is still being sent to resets it, and the reset takes the answer
 * away from a client that has not read it yet (RFC 9112 §9.6): so the answer goes out at once, and the rest of the body is read and
 * dropped before the connection closes. The answer needs a Content-Length of its own.
 */
export const answerWhileReading = (answer: Buffer, request: IncomingMessage): Readable =>
  Readable.from(
    (async function* () {
      yield answer;
      await dropped(request);
    })(),
    { objectMode: false },
  );

/** Resolves once the body has arrived whole, the client is gone, or the bounds are reached. */
const dropped = async (request: IncomingMessage): Promise<void> => {
  if (request.complete || request.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  let bytes = 0;
  const count = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > LINGER_BYTES) resolve();
  };
  const timer = setTimeout(resolve, LINGER_MS);
  request.on('data', count).once('end', resolve).once('close', resolve).resume();
  await promise;
  clearTimeout(timer);
  request.off('data', count);
};
