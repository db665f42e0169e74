import { constants } from 'node:fs';
import { mkdir, open, realpath } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { SendOutcome } from '../../domain/delivery/settle.js';
import { webhookBody } from '../../domain/delivery/webhook-body.js';
import { Sender, type Sending } from '../../features/delivery/ports.js';

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDWR, O_NONBLOCK } = constants;
const NEWLINE = 0x0a;

/** The path leads out of the tenant's directory: somebody put a link there. */
class OutsideError extends Error {}

/**
 * A line of JSON per alert, below ALERT_FILES_DIR/<tenant>/. The path was judged when the channel was made; links are judged here. A line
 * is one write at the end of the file, so replicas and readers never see half of one between two others.
 */
export class FileSender extends Sender {
  constructor(private readonly root: string | undefined) {
    super();
  }

  isConfigured(): boolean {
    return this.root !== undefined;
  }

  async send({ id, tenant, channel, alert }: Sending): Promise<SendOutcome> {
    try {
      await append(
        join(this.root ?? '', tenant),
        channel.url ?? '',
        `{"id":${JSON.stringify(id)},${webhookBody(tenant, alert).slice(1)}\n`,
      );
      return { outcome: 'delivered', status: null, detail: null };
    } catch (error) {
      if (error instanceof OutsideError)
        return { outcome: 'refused', status: null, detail: 'The path leads out of the tenant’s directory' };
      return {
        outcome: 'failed',
        status: null,
        detail: `The file could not be written (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`,
      };
    }
  }
}

const append = async (home: string, path: string, line: string): Promise<void> => {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const root = await realpath(home);
  const file = join(root, path);
  if (!isBelow(root, file)) throw new OutsideError();
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const directory = await realpath(dirname(file));
  if (directory !== root && !isBelow(root, directory)) throw new OutsideError();
  // Never through a link, and never waiting for the other end of a pipe.
  const handle = await open(file, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ELOOP' ? new OutsideError() : error;
  });
  try {
    const { size } = await handle.stat();
    // A process that died while it wrote left a line without its end: it must not swallow ours.
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
    await handle.write(`${bytesRead === 1 && buffer[0] !== NEWLINE ? '\n' : ''}${line}`);
  } finally {
    await handle.close();
  }
};

const isBelow = (root: string, path: string): boolean => {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`);
};
