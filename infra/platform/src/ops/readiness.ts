export type Check = () => Promise<void> | void;
export type CheckResult = Readonly<{ name: string; ok: boolean; reason?: string }>;

/** A check that does not answer by then counts as failed. */
const CHECK_TIMEOUT_MS = 2_000;

/** May this process be sent requests? All checks pass, and it is not stopping. A check throws an error that says why not. */
export class Readiness {
  private readonly checks = new Map<string, Check>();
  private readonly stopped = new AbortController();

  add(name: string, check: Check): void {
    this.checks.set(name, check);
  }

  /** For good: `/readyz` says 503 from now on, so that whoever routes requests goes elsewhere. */
  stop(): void {
    this.stopped.abort();
  }

  get isStopping(): boolean {
    return this.stopping.aborted;
  }

  /** Aborts with the stop: whoever waits for something that may take its time, waits no more. */
  get stopping(): AbortSignal {
    return this.stopped.signal;
  }

  async results(): Promise<readonly CheckResult[]> {
    if (this.isStopping) return [{ name: 'process', ok: false, reason: 'stopping' }];
    return Promise.all([...this.checks].map(([name, check]) => run(name, check)));
  }
}

const run = async (name: string, check: Check): Promise<CheckResult> => {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('did not answer in time')), CHECK_TIMEOUT_MS);
  try {
    await Promise.race([check(), late]);
    return { name, ok: true };
  } catch (error) {
    // The reason is one word for whoever looks: messages of drivers may name hosts and users.
    return { name, ok: false, reason: error instanceof Error ? error.name : 'failed' };
  } finally {
    clearTimeout(timer);
  }
};
