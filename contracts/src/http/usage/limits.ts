/** API.md, "Usage event". Lengths are in characters, metadata in bytes of its JSON. */
export const LIMITS = {
  id: 256,
  source: 512,
  scopes: 16,
  meter: 128,
  category: 256,
  description: 2_000,
  dimensions: 64,
  dimensionKey: 128,
  dimensionValue: 1_024,
  quantities: 64,
  quantityName: 128,
  reservationId: 256,
  allocation: 64,
  metadataBytes: 4_096,
  batch: 1_000,
} as const;

/** A quantity is below 2^63, in units of 10^-12 here (RELIABILITY IN-B17). */
export const MAX_QUANTITY_PICOS = (2n ** 63n - 1n) * 10n ** 12n;

/** `POST /litellm/logs`: batches of 512 records come with prompts and answers, which are dropped. */
export const LITELLM_LOGS_BYTES = 32 * 1024 * 1024;
