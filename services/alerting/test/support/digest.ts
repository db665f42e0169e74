import { hash } from 'node:crypto';
import { canonicalJson } from '@bursar/contracts';
import type { AlertRow } from './world.js';

/** Of all that the ledger says of alerts: not of where NATS has them. */
export const digestOf = (rows: readonly AlertRow[]): string =>
  hash('sha256', canonicalJson(rows.map(({ published_sequence: _, suppressed: __, ...row }) => row)), 'hex');
