import { z } from 'zod';
import { defineEvent } from './envelope.js';
import { StoredScope } from './wire.js';

const Attributes = z.record(z.string(), z.string());

/** A scope entered the registry, stream `scope-<tenant>`. Parents bind from this position. Emitted by the api. */
export const ScopeRegistered = defineEvent(
  'ScopeRegistered',
  1,
  z.object({ scope: StoredScope, parents: z.array(StoredScope), name: z.string().optional(), attributes: Attributes.optional() }),
);

/** Its parents are others from this position on; what was charged before stays where it was. */
export const ScopeMoved = defineEvent('ScopeMoved', 1, z.object({ scope: StoredScope, parents: z.array(StoredScope) }));

/** Name or attributes changed; null name means none. */
export const ScopeDescribed = defineEvent(
  'ScopeDescribed',
  1,
  z.object({ scope: StoredScope, name: z.string().nullable().optional(), attributes: Attributes.optional() }),
);

/** Gone from the registry: no parents but the root from this position on. */
export const ScopeRemoved = defineEvent('ScopeRemoved', 1, z.object({ scope: StoredScope }));
