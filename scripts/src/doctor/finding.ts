/** `bad` makes doctor fail; `warn` deserves a look. */
export type Finding = Readonly<{ level: 'ok' | 'warn' | 'bad'; text: string }>;

export const ok = (text: string): Finding => ({ level: 'ok', text });
export const warn = (text: string): Finding => ({ level: 'warn', text });
export const bad = (text: string): Finding => ({ level: 'bad', text });

/** Runs one group of checks; what it throws is a finding too. */
export const examine = async (what: string, check: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> => {
  try {
    return await check();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return [bad(`${what}: ${message || code}`)];
  }
};
