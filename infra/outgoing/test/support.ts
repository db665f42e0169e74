import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { generate } from 'selfsigned';

const running: (() => Promise<void>)[] = [];

/** A real server on loopback; `stopServers` ends it with every connection it has. */
export const listen = async (server: Server): Promise<number> => {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => undefined);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  running.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => server.close(done));
  });
  return (server.address() as AddressInfo).port;
};

export const httpTarget = async (handler: RequestListener): Promise<string> => `http://127.0.0.1:${await listen(createServer(handler))}`;

export const stopServers = async (): Promise<void> => {
  for (const stop of running.splice(0)) await stop();
};

/** A TLS server for `hostname`, and the certificate that a client has to trust for it. */
export const httpsTarget = async (hostname: string, handler: RequestListener): Promise<{ port: number; ca: string }> => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: hostname }], {
    keySize: 2048,
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: hostname }] }],
  });
  return { port: await listen(createSecureServer({ key, cert }, handler)), ca: cert };
};
