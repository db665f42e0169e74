import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { lastProblem } from '@bursar/embedded';

/** What the background supervisor tells the command that started it. */
export type DetachedMessage = Readonly<{ kind: 'line' | 'ready' | 'failed'; text: string }>;

/** Marks the process that stays. */
export const DETACHED_VARIABLE = 'BURSAR_UP_DETACHED';

/**
 * Starts the supervisor in a session of its own, with none of the caller's descriptors, and waits until it says that all is
 * ready. Answers the exit code.
 */
export const startDetached = async (
  script: string,
  args: readonly string[],
  dataDir: string,
  say: (line: string) => void,
  complain: (line: string) => void,
): Promise<number> => {
  mkdirSync(join(dataDir, 'logs'), { recursive: true });
  const output = join(dataDir, 'logs', 'up.err.log');
  const log = openSync(output, 'a', 0o600);
  const child = spawn(process.execPath, [script, ...args.filter((arg) => arg !== '--detach')], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    env: { ...process.env, [DETACHED_VARIABLE]: '1' },
  });
  closeSync(log);
  const code = await new Promise<number>((resolve) => {
    child.on('message', (message) => {
      const { kind, text } = message as DetachedMessage;
      (kind === 'failed' ? complain : say)(text);
      if (kind !== 'line') resolve(kind === 'ready' ? 0 : 1);
    });
    child.once('exit', (exitCode, signal) => {
      complain(`bursar: the supervisor ended (${signal ?? exitCode}): ${lastProblem(output)}`);
      resolve(1);
    });
  });
  if (child.connected) child.disconnect();
  child.unref();
  return code;
};
