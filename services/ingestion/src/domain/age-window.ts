import { type EpochNs, NS_PER_SECOND } from '@bursar/contracts';

/** API.md: at most 5 minutes ahead, whatever the age limit is. */
const MAX_AHEAD_NS = 300n * NS_PER_SECOND;

/** How long ago an event may have happened. */
export class AgeWindow {
  private readonly tooOldNs: bigint;

  constructor(private readonly maxAgeSeconds: number) {
    // Age counts in whole seconds: an event of exactly the limit travels a moment before it is judged, and must not fail for that.
    this.tooOldNs = BigInt(maxAgeSeconds + 1) * NS_PER_SECOND;
  }

  /** What a tenant allows, never more than the installation; null: as much. */
  atMost(lateSeconds: number | null): AgeWindow {
    return lateSeconds === null || lateSeconds >= this.maxAgeSeconds ? this : new AgeWindow(lateSeconds);
  }

  /** Null when the event may be recorded. */
  judge(occurredAt: EpochNs, now: EpochNs): 'too_old' | 'future' | null {
    if (now - occurredAt >= this.tooOldNs) return 'too_old';
    return occurredAt - now > MAX_AHEAD_NS ? 'future' : null;
  }
}
