import type { Refusing } from '../domain/refusal-event.js';

/** Told of every refused reservation, behind the answer (PRODUCT C4). Must not throw, and is not waited for. */
export abstract class Refusals {
  /** The id by which the answer names the refusal, and under which it can be explained: repeats share that of the first. */
  abstract refused(refusing: Refusing): string;
}
