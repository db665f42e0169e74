import { accountRoutes } from './accounts.js';
import { alertRoutes } from './alerts.js';
import { budgetRoutes } from './budgets.js';
import { enforcementRoutes } from './enforcement.js';
import { operationRoutes } from './operations.js';
import type { Route, Service } from './route.js';
import { scopeRoutes } from './scopes.js';
import { usageRoutes } from './usage.js';

/** Every endpoint of API.md but health and metrics, which each process serves by itself (infra/platform). */
export const ROUTES: readonly Route[] = [
  ...usageRoutes,
  ...budgetRoutes,
  ...scopeRoutes,
  ...enforcementRoutes,
  ...alertRoutes,
  ...accountRoutes,
  ...operationRoutes,
];

export const routesOf = (service: Service): readonly Route[] => ROUTES.filter((route) => route.service === service);

const byOperation = new Map(ROUTES.map((route) => [route.operationId, route]));

/** The row of an operation; throws `RangeError` for a name that no row has. */
export const routeOf = (operationId: string): Route => {
  const route = byOperation.get(operationId);
  if (route === undefined) throw new RangeError(`no route ${operationId}`);
  return route;
};
