import type { Bus } from '@bursar/bus';
import { HEADER, usageRejectedSubject } from '@bursar/contracts/bus';
import type { JsMsg } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { tenantOf } from './intake-message.js';

/**
 * Keeps a refused message with its reason and the bytes it came in, on `usage.rejected.<tenant>`. False when it could not be stored:
 * the message must then stay where it is. A redelivery within JetStream's window is stored once.
 */
export const keepDeadLetter = (bus: Bus, message: JsMsg, reasons: readonly string[]): Promise<boolean> => {
  const kept = headers();
  kept.set(HEADER.reason, [...new Set(reasons)].join(','));
  kept.set(HEADER.messageId, `${message.info.stream}-${message.info.streamSequence}-${message.info.timestampNanos}`);
  const contentType = message.headers?.get('Content-Type');
  if (contentType) kept.set('Content-Type', contentType);
  return bus.publish(usageRejectedSubject(tenantOf(message.subject)), message.data, kept);
};
