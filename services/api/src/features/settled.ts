import { Injectable } from '@nestjs/common';
import { Checkpoints } from '../adapters/sql/checkpoints.js';

/** Well within a request's 10 s. Past it the write is no less durable, only reads may not show it yet. */
const MAX_WAIT_MS = 5_000;

/** Commands wait for the projector by themselves, so that the client's next read sees what it wrote (API.md, "Read your writes"). */
@Injectable()
export class Settled {
  constructor(private readonly checkpoints: Checkpoints) {}

  async at({ partition, position }: Readonly<{ partition: number; position: number }>, maxMs = MAX_WAIT_MS): Promise<void> {
    await this.checkpoints.passed('budget', partition, position, Math.min(maxMs, MAX_WAIT_MS));
  }
}
