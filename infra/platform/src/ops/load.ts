import { monitorEventLoopDelay } from 'node:perf_hooks';

const WINDOW_MS = 500;
const RESOLUTION_MS = 10;

/** How late the event loop runs, as a mean over half a second: one long turn is no overload, a row of them is. */
export class LoopLag {
  private readonly histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  private readonly timer: NodeJS.Timeout;
  private meanMs = 0;

  constructor() {
    this.histogram.enable();
    this.timer = setInterval(() => this.sample(), WINDOW_MS);
    this.timer.unref();
  }

  get ms(): number {
    return this.meanMs;
  }

  close(): void {
    clearInterval(this.timer);
    this.histogram.disable();
  }

  private sample(): void {
    const mean = this.histogram.mean / 1e6 - RESOLUTION_MS;
    this.meanMs = Number.isFinite(mean) ? Math.max(0, mean) : 0;
    this.histogram.reset();
  }
}
