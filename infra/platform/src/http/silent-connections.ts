import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Who has connected and said nothing yet. Node counts such a connection as one with a request on its way: a server that stops would wait
 * for a client that only keeps a connection ready, for as long as that does.
 */
export class SilentConnections {
  readonly #sockets = new Set<Socket>();
  readonly #suspects = new Set<Socket>();

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        this.#suspects.delete(socket);
      });
    });
  }

  /** Closes those from which not a byte had come when it was last called either: what just came may not be read yet. */
  close(): void {
    for (const socket of this.#sockets) {
      if (socket.bytesRead > 0) continue;
      if (this.#suspects.has(socket)) socket.destroy();
      else this.#suspects.add(socket);
    }
  }
}
