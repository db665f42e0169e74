import { Metrics } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { Counter } from 'prom-client';
import type { UsageResult } from '../domain/usage-result.js';
import { UsageMeter } from '../features/ports.js';

const STATUSES = ['accepted', 'duplicate', 'rejected'] as const;

/** `bursar_usage_events_total{via,status}`. Counted per request, so that an event costs an addition. */
@Injectable()
export class PrometheusMeter extends UsageMeter {
  private readonly events: Counter<'via' | 'status'>;

  constructor(metrics: Metrics) {
    super();
    this.events = new Counter({
      name: 'bursar_usage_events_total',
      help: 'Usage events answered, by way and by what became of them',
      labelNames: ['via', 'status'],
      registers: [metrics.registry],
    });
  }

  count(via: 'http' | 'nats', results: readonly UsageResult[]): void {
    const counts = { accepted: 0, duplicate: 0, rejected: 0 };
    for (const { status } of results) counts[status] += 1;
    for (const status of STATUSES) if (counts[status] > 0) this.events.inc({ via, status }, counts[status]);
  }
}
