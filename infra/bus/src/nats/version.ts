/** Compares `major.minor.patch`; what follows (`-dev`, `-RC.1`) does not count. */
export const isAtLeast = (version: string, minimum: string): boolean => {
  const have = numbers(version);
  const need = numbers(minimum);
  for (let index = 0; index < 3; index += 1) {
    const difference = (have[index] ?? 0) - (need[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
};

const numbers = (version: string): readonly number[] =>
  (/^v?(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1) ?? []).map((part) => Number(part));
