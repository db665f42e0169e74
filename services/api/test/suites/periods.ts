import { describe, expect, test } from '@jest/globals';
import type { Client } from '../support/client.js';
import { expectProblem } from '../support/make.js';

export const periods = (api: () => Client): void => {
  const preview = async (body: object): Promise<[string, string][]> => {
    const reply = await api().post('periods/preview', body);
    if (reply.status !== 200) throw new Error(reply.text);
    return reply.body.periods.map(({ start, end }: { start: string; end: string }) => [start, end]);
  };
  const days = (list: [string, string][]): number[] => list.map(([start, end]) => (Date.parse(end) - Date.parse(start)) / 3_600_000);

  describe('period preview', () => {
    test.each<[string, object, [string, string][]]>([
      [
        'a calendar month of a zone',
        { period: { kind: 'monthly', timezone: 'Europe/Berlin' }, at: '2026-03-31T22:00:00Z', count: 2 },
        [
          ['2026-03-31T22:00:00Z', '2026-04-30T22:00:00Z'],
          ['2026-04-30T22:00:00Z', '2026-05-31T22:00:00Z'],
        ],
      ],
      [
        'IN-D11 an anchor on the 31st comes back',
        { period: { kind: 'monthly', anchor: '2026-01-31T00:00:00Z' }, at: '2026-01-31T00:00:00Z', count: 3 },
        [
          ['2026-01-31T00:00:00Z', '2026-02-28T00:00:00Z'],
          ['2026-02-28T00:00:00Z', '2026-03-31T00:00:00Z'],
          ['2026-03-31T00:00:00Z', '2026-04-30T00:00:00Z'],
        ],
      ],
      [
        'IN-D12 a year from 29 February',
        { period: { kind: 'annual', anchor: '2024-02-29T00:00:00Z' }, at: '2024-03-01T00:00:00Z', count: 4, offset: 1 },
        [
          ['2025-02-28T00:00:00Z', '2026-02-28T00:00:00Z'],
          ['2026-02-28T00:00:00Z', '2027-02-28T00:00:00Z'],
          ['2027-02-28T00:00:00Z', '2028-02-29T00:00:00Z'],
          ['2028-02-29T00:00:00Z', '2029-02-28T00:00:00Z'],
        ],
      ],
      [
        'a rolling period without an anchor starts at the instant asked for',
        { period: { kind: 'rolling', length: '30d' }, at: '2026-01-10T08:00:00Z', offset: -1, count: 2 },
        [
          ['2025-12-11T08:00:00Z', '2026-01-10T08:00:00Z'],
          ['2026-01-10T08:00:00Z', '2026-02-09T08:00:00Z'],
        ],
      ],
      [
        'weeks start on Monday',
        { period: { kind: 'weekly' }, at: '2026-11-25T00:00:00Z' },
        [['2026-11-23T00:00:00Z', '2026-11-30T00:00:00Z']],
      ],
      [
        'IN-D8 the end belongs to the next period',
        { period: { kind: 'custom', start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' }, at: '2026-02-01T00:00:00Z' },
        [],
      ],
      [
        'a one-off period has no next',
        { period: { kind: 'custom', start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' }, at: '2026-01-01T00:00:00Z', count: 5 },
        [['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z']],
      ],
      [
        'IN-D10 a zone that skipped a day has no period of no length',
        { period: { kind: 'daily', timezone: 'Pacific/Apia' }, at: '2011-12-29T12:00:00Z', count: 2 },
        [
          ['2011-12-29T10:00:00Z', '2011-12-30T10:00:00Z'],
          ['2011-12-30T10:00:00Z', '2011-12-31T10:00:00Z'],
        ],
      ],
    ])('%s', async (_name, body, expected) => expect(await preview(body)).toEqual(expected));

    test.each([
      ['America/New_York', '2026-03-08T12:00:00Z', 23],
      ['America/New_York', '2026-11-01T12:00:00Z', 25],
      ['Europe/Berlin', '2026-03-29T12:00:00Z', 23],
      ['Europe/Berlin', '2026-10-25T12:00:00Z', 25],
      ['Australia/Lord_Howe', '2026-04-04T20:00:00Z', 24.5],
      ['Australia/Lord_Howe', '2026-10-03T20:00:00Z', 23.5],
      ['Antarctica/Troll', '2026-03-29T12:00:00Z', 22],
    ])('IN-D9 a day of %s at %s', async (timezone, at, hours) => {
      expect(days(await preview({ period: { kind: 'daily', timezone }, at }))).toEqual([hours]);
    });

    test.each<[string, object, string]>([
      ['no period', {}, '/period'],
      ['51 periods', { period: { kind: 'daily' }, count: 51 }, '/count'],
      ['no periods', { period: { kind: 'daily' }, count: 0 }, '/count'],
      ['half an offset', { period: { kind: 'daily' }, offset: 0.5 }, '/offset'],
      ['an instant without offset', { period: { kind: 'daily' }, at: '2026-01-01T00:00:00' }, '/at'],
      ['IN-D13 a zone that is none', { period: { kind: 'daily', timezone: 'Mars/Base' } }, '/period/timezone'],
      ['years that cannot be written', { period: { kind: 'annual' }, offset: 100_000 }, '/offset'],
      ['years before those kept', { period: { kind: 'annual' }, at: '1970-01-01T00:00:00Z', offset: -1 }, '/offset'],
    ])('%s is refused', async (_name, body, pointer) => {
      expectProblem(await api().post('periods/preview', body), 400, undefined, pointer);
    });
  });
};
