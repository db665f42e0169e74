export { findNatsServer } from './nats/find-nats-server.js';
export { type NatsCredentials, type NatsOptions, startNats } from './nats/start-nats.js';
export { freePort, isPortFree } from './ports.js';
export { runningPostmaster, stopLeftoverPostgres } from './postgres/leftovers.js';
export { DURABILITY_SETTINGS } from './postgres/settings.js';
export { type PostgresOptions, startPostgres } from './postgres/start-postgres.js';
export {
  type Exit,
  endProcess,
  isAlive,
  type LaunchSpec,
  lastProblem,
  launch,
  type RunningServer,
  signal,
  until,
  workingDirectoryOf,
} from './processes.js';
export { REPOSITORY_ROOT } from './repository.js';
export { type TestDatabase, testDatabase } from './testing/test-database.js';
export { type RestartOptions, type TestNats, testNats } from './testing/test-nats.js';
