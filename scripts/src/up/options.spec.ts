import { describe, expect, test } from '@jest/globals';
import { parseUpOptions, UserError } from './options.ts';

const parse = (...args: string[]) => parseUpOptions(args, '/repo/.bursar', '/here');

describe('the command line of scripts/up', () => {
  test('runs on port 8080 in the clone by default', () =>
    expect(parse()).toEqual({ action: 'run', detach: false, demo: false, dataDir: '/repo/.bursar', port: 8080, replicas: new Map() }));

  test('takes a data directory relative to where it is called', () =>
    expect(parse('--data', 'x', '--down')).toMatchObject({ action: 'down', dataDir: '/here/x' }));

  test('counts replicas by service', () =>
    expect(parse('--replicas', 'ingestion=2,budget-projector=3').replicas).toEqual(
      new Map([
        ['ingestion', 2],
        ['budget-projector', 3],
      ]),
    ));

  test.each([
    [['--port', '0']],
    [['--port', '65536']],
    [['--port', 'http']],
    [['--replicas', 'ingestion']],
    [['--replicas', 'ingestion=0']],
    [['--replicas', 'ingestion=17']],
    [['--down', '--status']],
    [['--detatch']],
    [['stray']],
  ])('%j is refused in one line', (args) => {
    expect(() => parse(...args)).toThrow(UserError);
    expect(() => parse(...args)).not.toThrow(/\n/);
  });
});
