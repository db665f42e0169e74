import type { EpochNs } from '@bursar/contracts';
import { type Audience, type Sees, seesAll, seesFigures } from '../domain/check/audience.js';
import { type Decision, decideCheck } from '../domain/check/decide-check.js';
import { type Gathered, gatherStandings } from '../domain/check/gather-standings.js';
import type { Question, Scene } from '../domain/check/standing.js';
import type { Hold } from '../domain/holds/hold.js';
import type { TenantFold } from '../domain/tenant-fold.js';
import type { CountWait } from './count-wait.js';
import type { FoldMemory } from './fold-memory.js';
import type { HoldDesk } from './hold-desk.js';
import type { Turns } from './turns.js';
import type { Watermark } from './watermark.js';

/** A fold that is further behind is waited for no longer: what was decided on less is decided still, and the fold has the last word. */
const CATCH_UP_MS = 3_000;

/** A decision, with what it was made of; `counting` and `none` (there is no such budget) instead of one. */
export type Decided = Readonly<{ decision: Decision; scene: Scene; position: number }> | 'counting' | 'none';

/**
 * Answers from the memory of one session of an owner. What is in memory is read between two steps of the fold, without waiting; what is
 * not comes in by turns with the fold, which reads the same tables into the same memory.
 */
export class Decisions {
  /** @param folded how far memory is; ahead of what is committed */
  constructor(
    private readonly memory: FoldMemory,
    private readonly folded: Watermark,
    private readonly turns: Turns,
    private readonly makeRoom: () => void,
    private readonly ended: AbortSignal,
    /** Reservations. */
    readonly desk: HoldDesk,
    /** For whoever meets a budget that is being counted. */
    readonly counts: CountWait,
    private readonly head: () => Promise<number>,
  ) {}

  get position(): number {
    return this.folded.position;
  }

  /** The session is over: what is in memory is nobody's any more. */
  get over(): boolean {
    return this.ended.aborted;
  }

  /** Is memory at the position, or was it in time? */
  async reached(position: number, waitMs: number): Promise<boolean> {
    if (waitMs > 0) await this.folded.reached(position, AbortSignal.any([this.ended, AbortSignal.timeout(waitMs)]));
    return this.folded.position >= position;
  }

  /** All that is in the store by now is in memory, if that comes about in time. */
  async caughtUp(): Promise<void> {
    await this.reached(await this.head(), CATCH_UP_MS);
  }

  /** What a reservation id stands for, as folded; null: nothing. */
  hold(tenantId: string, reservationId: string): Promise<Hold | null> {
    return this.turns.take(async () => this.memory.hold(await this.memory.tenant(tenantId), reservationId));
  }

  /** The budgets that an answer to this audience may tell of; those that are gone only to operators. */
  seenBy(audience: Audience, tenantId: string): Sees | Promise<Sees> {
    if (audience === 'operator') return seesAll;
    const known = this.memory.known(tenantId);
    if (known !== undefined) return seesIn(known, audience);
    return this.turns.take(() => this.memory.tenant(tenantId)).then((tenant) => seesIn(tenant, audience));
  }

  /** From memory as it is at this moment; null: something has to come into it first. */
  checkNow(tenantId: string, question: Question, now: EpochNs): Decided | null {
    const tenant = this.memory.known(tenantId);
    const gathered = tenant === undefined ? null : this.#gather(tenant, question, now);
    return gathered === null || gathered.found === 'some' ? null : this.#decide(gathered, question);
  }

  /** `now` is asked at the moment of the decision. Faults of the database surface as they are. */
  async check(tenantId: string, question: Question, now: () => EpochNs): Promise<Decided> {
    const atOnce = this.checkNow(tenantId, question, now());
    if (atOnce !== null) return atOnce;
    return this.turns.take(async () => {
      this.makeRoom();
      const loaded = await this.memory.tenant(tenantId);
      for (;;) {
        const found = this.#gather(loaded, question, now());
        if (found.found !== 'some') return this.#decide(found, question);
        await this.memory.load(found.missing);
      }
    });
  }

  #gather(tenant: TenantFold, question: Question, now: EpochNs): Gathered {
    return gatherStandings(tenant, question, now, this.position);
  }

  #decide(gathered: Exclude<Gathered, { found: 'some' }>, question: Question): Decided {
    if (gathered.found === 'none') return 'none';
    const { scene } = gathered;
    const decision = decideCheck(scene, question);
    return decision === 'counting' ? decision : { decision, scene, position: this.position };
  }
}

const seesIn =
  ({ budgets }: TenantFold, audience: Audience): Sees =>
  (budgetId) => {
    const budget = budgets.get(budgetId);
    return budget !== undefined && seesFigures(audience, budget.state.definition);
  };
