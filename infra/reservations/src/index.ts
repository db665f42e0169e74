export type { Granted } from './granted-in.js';
export * from './reservations.js';
