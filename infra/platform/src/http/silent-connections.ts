import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Who has connected and said nothing yet. Node counts such a connection as one with a request on its way, until the time for a head is up:
 * a server that stops would wait a minute for a client that only keeps a connection ready.
 */
export class SilentConnections {
  readonly #sockets = new Set<Socket>();

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** Closes those from which not a byte has come. */
  close(): void {
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy();
  }
}
