import { type Exit, until } from '@bursar/embedded';

/** True when `GET <url>/readyz` answers 200 within a second. */
export const isReady = async (url: string): Promise<boolean> => {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
};

/** Waits, as long as it takes, until the process answers that it is ready; false when it ended first. */
export const waitUntilReady = async (url: string, exited: Promise<Exit>): Promise<boolean> => {
  let gone = false;
  void exited.then(() => {
    gone = true;
  });
  await until(async () => gone || (await isReady(url)), Number.POSITIVE_INFINITY, 50);
  return !gone;
};
