import type { CrossingData } from '@bursar/contracts';
import { type AlertView, crossingAlert, showAlert } from '@bursar/contracts/folds';

/** One crossing in the shape of API.md "Alerts", before (or without) what alerting has recorded of it. */
export const toAlert = (id: string, data: CrossingData, createdAt: string, position: string | null): AlertView =>
  showAlert(crossingAlert(id, data, createdAt), { position, revision: null });
