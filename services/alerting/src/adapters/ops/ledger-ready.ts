import type { LedgerServer } from '@bursar/bus/nest';

/** Why this process may not be sent requests; the name is what /readyz shows. */
class NotReadyError extends Error {
  constructor(name: string) {
    super(name);
    this.name = name;
  }
}

/** Throws while a partition's batches fail; names the first. */
export const ledgerReady = ({ problems: [problem] }: Pick<LedgerServer, 'problems'>): void => {
  if (problem !== undefined) throw new NotReadyError(problem);
};
