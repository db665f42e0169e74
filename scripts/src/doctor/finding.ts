/** `bad` makes doctor fail; `warn` deserves a look. */
export type Level = 'ok' | 'warn' | 'bad';

/** One thing that was looked at. `todo`: what whoever reads it may do about it. */
export type Finding = Readonly<{ area: string; level: Level; text: string; todo?: string }>;

/** Makes the findings of one area. */
export const about = (area: string) => ({
  ok: (text: string): Finding => ({ area, level: 'ok', text }),
  warn: (text: string, todo: string): Finding => ({ area, level: 'warn', text, todo }),
  bad: (text: string, todo: string): Finding => ({ area, level: 'bad', text, todo }),
});

/** Runs the checks of one area; what they throw is a finding too. */
export const examine = async (area: string, todo: string, check: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> => {
  try {
    return await check();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return [about(area).bad(`does not answer: ${message || code}`, todo)];
  }
};
