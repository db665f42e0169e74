import { describe, expect, test } from '@jest/globals';
import { closingLine, type JestResults, succeeded } from './closing-line.ts';

const results = (over: Partial<JestResults>): JestResults => ({
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  numRuntimeErrorTestSuites: 0,
  ...over,
});

describe('the closing line of a test run', () => {
  test.each([
    [results({ numPassedTests: 12 }), '12 passed, 0 failed', true],
    [results({ numPassedTests: 12, numPendingTests: 1, numTodoTests: 2 }), '12 passed, 0 failed, 3 skipped', true],
    [results({ numPassedTests: 12, numFailedTests: 1 }), '12 passed, 1 failed', false],
    [results({ numPassedTests: 12, numRuntimeErrorTestSuites: 1 }), '12 passed, 1 failed', false],
    [results({}), '0 passed, 0 failed', false],
    [undefined, '0 passed, 1 failed', false],
  ])('%j', (given, line, good) => {
    expect(closingLine(given)).toBe(line);
    expect(succeeded(given)).toBe(good);
  });
});
