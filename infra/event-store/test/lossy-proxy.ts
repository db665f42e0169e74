import { connect, createServer, type Socket } from 'node:net';

/**
 * A TCP proxy in front of PostgreSQL that can lose the server's answers: what was sent arrives, what came of it is never told. Or it
 * keeps them back, and the connection open: to the server its client looks as one that was frozen (SIGSTOP).
 */
export const lossyProxy = async (serverUrl: string) => {
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let losing = false;
  let frozen = false;
  let last: string | null = null;
  let lost = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      // Either side may break off at any time; that is what this is for.
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (bytes) => {
      if (frozen) return;
      frozen = last !== null && bytes.includes(last);
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (frozen) return;
      if (!losing) {
        client.write(bytes);
        return;
      }
      // 'Z' ends an answer: the server has committed.
      lost += bytes.subarray(-6).toString('latin1').startsWith('Z') ? 1 : 0;
      if (lost > 0) client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = new URL(serverUrl);
  url.port = String(typeof address === 'object' ? address?.port : '');
  return {
    url: url.href,
    loseAnswers: (on: boolean) => {
      losing = on;
    },
    /** What holds this text is the last that arrives. */
    freezeAfter: (text: string) => {
      last = text;
    },
    lost: () => lost,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
