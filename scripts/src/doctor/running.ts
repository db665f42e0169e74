import { connect } from 'node:net';
import type { RunFile } from '../up/files.ts';
import { isReady } from '../up/readiness.ts';
import { bad, type Finding, ok } from './finding.ts';

/** Do the processes of run.json answer? */
export const examineServices = (run: RunFile): Promise<readonly Finding[]> =>
  Promise.all(
    run.services.map(async ({ name, url }) =>
      (await isReady(url)) ? ok(`${name}: ready at ${url}`) : bad(`${name}: not ready at ${url}: see its log`),
    ),
  );

type ServerInfo = Readonly<{ version: string; auth_required?: boolean; jetstream?: boolean }>;

/** A NATS server introduces itself to whoever connects, before any credentials. */
export const examineNats = async (url: string): Promise<readonly Finding[]> => {
  const { hostname, port } = new URL(url.split(',')[0] ?? url);
  const info = await greeting(hostname, Number(port || 4222));
  const [major = 0, minor = 0] = info.version.split('.').map(Number);
  return [
    (major > 2 || (major === 2 && minor >= 12) ? ok : bad)(`NATS: ${info.version} (2.12 or newer is needed)`),
    (info.jetstream === true ? ok : bad)(`NATS: JetStream is ${info.jetstream === true ? 'on' : 'off'}`),
    (info.auth_required === true ? ok : bad)(`NATS: credentials are ${info.auth_required === true ? '' : 'not '}asked for`),
  ];
};

const greeting = (host: string, port: number): Promise<ServerInfo> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    let text = '';
    socket.setTimeout(5_000, () => socket.destroy(new Error(`no answer from ${host}:${port}`)));
    socket.on('data', (data) => {
      text += data.toString('utf8');
      const line = /^INFO (\{.*\})/.exec(text)?.[1];
      if (line === undefined) return;
      socket.destroy();
      resolve(JSON.parse(line) as ServerInfo);
    });
    socket.once('error', reject);
  });
