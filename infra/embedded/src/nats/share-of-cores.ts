/**
 * `GOMAXPROCS` for a nats-server that shares its machine with PostgreSQL and every service: half of the cores, at least one, unless the environment says so
 * many. With all of them it wakes threads of its own that take a core from whoever is about to answer: on two cores a quarter more CPU for the same messages.
 */
export const shareOfCores = (environment: NodeJS.ProcessEnv, cores: number): string =>
  environment.GOMAXPROCS ?? String(Math.max(1, Math.floor(cores / 2)));
