import type { Count } from './column-types.js';

/** Usage that waits for a price or a rate, and what was corrected. */
export interface CorrectionTables {
  'projection.waiting': WaitingTable;
  'projection.usage_correction': UsageCorrectionTable;
  'projection.price_correction': PriceCorrectionTable;
}

interface WaitingTable {
  projection: string;
  tenant: string;
  position: Count;
  reason: 'price' | 'rate';
  budget_ids: string[];
  event: string;
}

interface UsageCorrectionTable {
  tenant: string;
  position: Count;
  corrected_at: Count;
  amount: string | null;
  currency: string | null;
  stated: boolean;
}

interface PriceCorrectionTable {
  tenant: string;
  correction_id: string;
  list_id: string;
  position: Count;
}
