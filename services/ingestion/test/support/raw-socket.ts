import { connect, type Socket } from 'node:net';
import { KEY } from './world.js';

export type RawAnswer = Readonly<{ text: string; status: number; body: string; closedAfterMs: number; pieces: number }>;

/** Bytes as they are on a socket of their own, until the server closes it. */
export const exchange = async (url: string, bytes: string | Buffer, write?: (socket: Socket) => void): Promise<RawAnswer> => {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  const start = performance.now();
  const chunks: Buffer[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on('data', (chunk) => chunks.push(chunk));
  // A reset after the answer was sent is one way of closing.
  socket.on('error', () => undefined);
  socket.on('close', () => resolve());
  socket.on('connect', () => {
    socket.write(bytes);
    write?.(socket);
  });
  await promise;
  const text = Buffer.concat(chunks).toString('latin1');
  return {
    text,
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0),
    body: text.slice(text.indexOf('\r\n\r\n') + 4),
    closedAfterMs: performance.now() - start,
    pieces: text.split('HTTP/1.1 ').length - 1,
  };
};

/** A POST /usage head with these lines beside the usual ones. */
export const head = (...lines: readonly string[]): string =>
  [`POST /api/v1/usage HTTP/1.1`, 'Host: x', `Authorization: Bearer ${KEY}`, 'Content-Type: application/json', ...lines, '', ''].join(
    '\r\n',
  );
