import { setTimeout as delay } from 'node:timers/promises';

export const untilTrue = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await delay(1);
};
