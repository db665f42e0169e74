import { spawnSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { findNatsServer, isPortFree } from '@bursar/embedded';
import { bad, type Finding, ok, warn } from './finding.ts';

/** What this machine has, whether anything runs or not. */
export const examineMachine = async (dataDir: string): Promise<readonly Finding[]> => {
  const major = Number.parseInt(process.versions.node, 10);
  const nats = await findNatsServer();
  const { bavail, bsize } = statfsSync(dataDir);
  const freeGb = (bavail * bsize) / 1e9;
  return [
    (major >= 24 ? ok : bad)(`Node ${process.versions.node} (24 or newer is needed)`),
    ok(`npm ${spawnSync('npm', ['--version'], { encoding: 'utf8' }).stdout?.trim() || 'is missing'}`),
    ok(`${spawnSync(nats, ['--version'], { encoding: 'utf8' }).stdout.trim()} at ${nats}`),
    (freeGb < 2 ? warn : ok)(`${freeGb.toFixed(1)} GB free on ${dataDir}`),
  ];
};

/** Without anything running: could `scripts/up` take its port? */
export const examinePort = async (port: number): Promise<readonly Finding[]> => [
  (await isPortFree(port)) ? ok(`port ${port} is free`) : warn(`port ${port} is taken: scripts/up needs --port N`),
];
