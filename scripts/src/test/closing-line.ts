/** What is read of jest's `--json` output. */
export type JestResults = Readonly<{
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  /** Files that could not even be loaded: none of their tests was counted. */
  numRuntimeErrorTestSuites: number;
}>;

/** The last line of a test run: `N passed, N failed`, and `, N skipped` when some were. A file that did not load counts as one failure. */
export const closingLine = (results: JestResults | undefined): string => {
  if (results === undefined) return '0 passed, 1 failed';
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  const skipped = results.numPendingTests + results.numTodoTests;
  return `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
};

/** True when something ran and nothing failed: a run of no test proves nothing. */
export const succeeded = (results: JestResults | undefined): boolean =>
  results !== undefined && results.numPassedTests > 0 && results.numFailedTests + results.numRuntimeErrorTestSuites === 0;
