import { Bus } from '@bursar/bus';
import type { DurableMessage } from '@bursar/bus/nest';
import { HEADER, usageRejectedSubject } from '@bursar/contracts/bus';
import { headers } from '@nats-io/transport-node';
import { Injectable } from '@nestjs/common';
import { tenantOf } from './intake-message.js';

/** Where refused messages are kept. */
@Injectable()
export class DeadLetters {
  constructor(private readonly bus: Bus) {}

  /**
   * Keeps a refused message with its reason and the bytes it came in, on `usage.rejected.<tenant>`. False when it could not be stored:
   * the message must then stay where it is. A redelivery within JetStream's window is stored once.
   */
  keep({ subject, headers: came, data, info }: DurableMessage, reasons: readonly string[]): Promise<boolean> {
    const kept = headers();
    kept.set(HEADER.reason, [...new Set(reasons)].join(','));
    kept.set(HEADER.messageId, `${info.stream}-${info.streamSequence}-${info.timestampNanos}`);
    const contentType = came?.get('Content-Type');
    if (contentType) kept.set('Content-Type', contentType);
    return this.bus.publish(usageRejectedSubject(tenantOf(subject)), data, kept);
  }
}
