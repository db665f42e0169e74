import { spawnSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { findNatsServer, isPortFree } from '@bursar/embedded';
import { about, type Finding } from './finding.ts';

const AREA = 'this machine';
const { ok, warn, bad } = about(AREA);
/** Tests and tools run from source by Node's own type stripping. */
const NODE_MAJOR = 24;
const ENOUGH_GB = 2;

/** What this machine has, whether anything runs or not. */
export const examineMachine = async (dataDir: string): Promise<readonly Finding[]> => {
  const major = Number.parseInt(process.versions.node, 10);
  const node = `Node ${process.versions.node} (${NODE_MAJOR} or newer is needed)`;
  const npm = spawnSync('npm', ['--version'], { encoding: 'utf8' }).stdout?.trim();
  const { bavail, bsize } = statfsSync(dataDir);
  const freeGb = (bavail * bsize) / 1e9;
  const space = `${freeGb.toFixed(1)} GB free on ${dataDir}`;
  return [
    major >= NODE_MAJOR ? ok(node) : bad(node, 'scripts/up uses the one of node_modules: call scripts/doctor, not node'),
    npm ? ok(`npm ${npm}`) : warn('npm is missing', 'install it; what is installed already works without'),
    await natsServer(),
    freeGb < ENOUGH_GB ? warn(space, 'free some, or choose another --data directory: a full disk stops the event store') : ok(space),
  ];
};

const natsServer = async (): Promise<Finding> => {
  try {
    const binary = await findNatsServer();
    return ok(`${spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout.trim()} at ${binary}`);
  } catch (error) {
    return bad(`no nats-server: ${(error as Error).message}`, 'put one on PATH, or set NATS_SERVER_BIN or NATS_URL');
  }
};

/** Without anything running: could `scripts/up` take its port? */
export const examinePort = async (port: number): Promise<readonly Finding[]> => [
  (await isPortFree(port)) ? ok(`port ${port} is free`) : warn(`port ${port} is taken`, 'start with scripts/up --port N'),
];
