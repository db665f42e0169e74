import { expect, test } from '@jest/globals';
import { RouteIndex } from './route-index.js';

test('tells 405 from 404', () => {
  const routes = new RouteIndex();
  routes.add('POST', '/api/v1/budgets');
  routes.add(['GET', 'HEAD'], '/api/v1/budgets/:id');
  expect(routes.methodsOf('/api/v1/budgets?x=/y')).toEqual(['POST']);
  expect(routes.methodsOf('/api/v1/budgets/b1')).toEqual(['GET', 'HEAD']);
  expect(routes.methodsOf('/api/v1/budgets/')).toEqual([]);
  expect(routes.methodsOf('/api/v1/budgets/b1/x')).toEqual([]);
});
