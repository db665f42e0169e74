import { ConfigError } from './config.js';
import type { Service } from './service.js';

/** A process that has not drained by then is ended anyway; Kubernetes would do it at 45 s. */
const DRAIN_DEADLINE_MS = 20_000;

/**
 * The body of every `main.ts`: boots, listens, and on SIGTERM or SIGINT drains and exits 0. A boot that fails says so in one line and exits 1;
 * a wrong configuration exits 78 (EX_CONFIG), which no restart cures.
 */
export const runService = async (boot: () => Promise<Service>): Promise<void> => {
  try {
    const service = await boot();
    const stop = (signal: NodeJS.Signals): void => void drain(service, signal);
    process.once('SIGTERM', stop).once('SIGINT', stop);
    await service.start();
  } catch (error) {
    const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
    process.stderr.write(`cannot start: ${name}: ${message}\n`);
    process.exit(error instanceof ConfigError ? 78 : 1);
  }
};

const drain = async (service: Service, signal: NodeJS.Signals): Promise<void> => {
  service.logger.info({ signal }, 'stopping');
  const deadline = setTimeout(() => {
    service.logger.error({}, 'did not drain in time');
    process.exit(1);
  }, DRAIN_DEADLINE_MS);
  deadline.unref();
  try {
    await service.stop();
    process.exit(0);
  } catch (error) {
    service.logger.error({ err: error }, 'did not stop cleanly');
    process.exit(1);
  }
};
