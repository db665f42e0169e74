import { partitionOf } from '@bursar/contracts';
import type { LedgerPosition } from '@bursar/contracts/http';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import type { Answer } from '../../features/answer.js';
import { Installation } from '../../installation.js';
import { Checkpoints, type Projection } from '../sql/checkpoints.js';
import { positionText } from '../sql/snapshot.js';

/** A handler has 8.8 s; what is left after the wait is for the answer. */
const MAX_WAIT_MS = 8_300;
const RETRY_AFTER_SECONDS = 1;

/** `minPosition=<partition>:<position>` with `Prefer: wait=N` (PRODUCT C10). */
@Injectable()
export class MinPosition {
  constructor(
    private readonly checkpoints: Checkpoints,
    private readonly installation: Installation,
  ) {}

  /** Null once the projections are there; else the 202 to answer. Throws 400 for a position of another partition. */
  async wait(
    tenant: string,
    minPosition: LedgerPosition,
    waitSeconds: number | null,
    projections: readonly Projection[],
  ): Promise<Answer | null> {
    const { partition, position } = minPosition;
    if (partition !== partitionOf(tenant, this.installation.partitions)) throw elsewhere();
    const until = performance.now() + Math.min((waitSeconds ?? 0) * 1_000, MAX_WAIT_MS);
    for (const projection of projections) {
      const passed = await this.#passed(projection, partition, position, until - performance.now());
      if (!passed) return this.#notYet(projection, partition, position);
    }
    return null;
  }

  async #passed(projection: Projection, partition: number, position: number, waitMs: number): Promise<boolean> {
    if (waitMs > 0) return this.checkpoints.passed(projection, partition, position, waitMs);
    return (await this.checkpoints.position(projection, partition)) >= position;
  }

  async #notYet(projection: Projection, partition: number, minPosition: number): Promise<Answer> {
    const position = await this.checkpoints.position(projection, partition);
    return {
      status: 202,
      body: { position: positionText(partition, position), minPosition: positionText(partition, minPosition) },
      headers: { 'retry-after': String(RETRY_AFTER_SECONDS), 'bursar-position': positionText(partition, position) },
    };
  }
}

const elsewhere = (): Problem => {
  const message = 'A position of another partition';
  return new Problem('position_format', message, { errors: [{ pointer: '/minPosition', message, code: 'position_format' }] });
};
