import { createLogger, Metrics } from '@bursar/platform';
import { expect, test } from '@jest/globals';
import { SchedulerMetrics } from './scheduler-metrics.js';

test('F34: a clock more than 2 s from the database’s is an alert, once until it is right again', async () => {
  const lines: { level: string; seconds?: number }[] = [];
  const logger = createLogger('reset-scheduler', 'info', { write: (line) => void lines.push(JSON.parse(line)) });
  const service = new Metrics('reset-scheduler', () => 0);
  const metrics = new SchedulerMetrics(service, logger, async () => 0);
  for (const seconds of [0, 1.9, -2.5, -2.6, 2.1, 0.1, 3]) metrics.skewed(seconds);
  expect(lines.map(({ level, seconds }) => [level, seconds])).toEqual([
    ['error', -2.5],
    ['info', 0.1],
    ['error', 3],
  ]);
  expect(await service.registry.metrics()).toMatch(/bursar_clock_skew_seconds\{service="reset-scheduler"\} 3\n/);
});
