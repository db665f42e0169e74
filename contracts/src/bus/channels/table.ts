import { alertChannels } from './alerts.js';
import type { Channel } from './channel.js';
import { enforcementChannels } from './enforcement.js';
import { ledgerChannels } from './ledger.js';
import { usageChannels } from './usage.js';

/** Every subject of API.md, and the internal one that our own services read. */
export const CHANNELS: readonly Channel[] = [...usageChannels, ...ledgerChannels, ...enforcementChannels, ...alertChannels];
