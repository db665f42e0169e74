import { z } from 'zod';
import { AdjustBody, VoidBody } from '../budgets/commands.js';
import { ExchangeRateBody, PriceCorrection, PriceListBody } from '../prices/price-list.js';
import { PriceCorrectionResult } from '../responses/price-correction.js';
import { ExchangeRate, ExchangeRates, PriceList, PriceLists } from '../responses/registry.js';
import { AdjustResult, DryRunResults, UsageResults, VoidResult } from '../responses/usage.js';
import { UsageBody, UsageCloudEvent } from '../usage/event.js';
import { LIMITS } from '../usage/limits.js';
import { AsOfQuery, DryRunQuery, ListQuery } from './queries.js';
import { API, routes } from './route.js';

const STRUCTURED = 'application/cloudevents+json';
const BATCHED = 'application/cloudevents-batch+json';
const USAGE_TYPES = ['application/json', STRUCTURED, BATCHED];

export const usageRoutes = [
  ...routes('usage', 'ingestion', [
    {
      operationId: 'recordUsage',
      method: 'POST',
      path: `${API}/usage`,
      summary: 'Record usage: one event, a batch, or CloudEvents',
      built: true,
      query: DryRunQuery,
      body: UsageBody,
      contentTypes: USAGE_TYPES,
      otherBodies: { [STRUCTURED]: UsageCloudEvent, [BATCHED]: z.array(UsageCloudEvent).min(1).max(LIMITS.batch) },
      responses: {
        202: { description: 'Durable; a result per event, in order', schema: UsageResults },
        200: { description: 'What a dry run found', schema: DryRunResults },
      },
    },
    {
      operationId: 'voidUsage',
      method: 'POST',
      path: `${API}/usage/:eventId/void`,
      summary: 'Void a recorded event; history keeps both',
      built: true,
      body: VoidBody,
      responses: { 202: { description: 'Durable; balances follow', schema: VoidResult } },
    },
    {
      operationId: 'adjustUsage',
      method: 'POST',
      path: `${API}/usage/:eventId/adjust`,
      summary: 'State what a recorded event costs instead; history keeps both',
      built: true,
      body: AdjustBody,
      responses: { 202: { description: 'Durable; balances follow', schema: AdjustResult } },
    },
  ]),
  ...routes('prices', 'api', [
    {
      operationId: 'createPriceList',
      method: 'POST',
      path: `${API}/price-lists`,
      summary: 'Post a price list, or load a shipped one; in force for the next event',
      built: true,
      body: PriceListBody,
      responses: { 201: { description: 'In force', schema: PriceList } },
    },
    {
      operationId: 'listPriceLists',
      method: 'GET',
      path: `${API}/price-lists`,
      summary: 'Price lists, newest first',
      built: true,
      query: ListQuery,
      responses: { 200: { description: 'A page', schema: PriceLists } },
    },
    {
      operationId: 'getCurrentPrices',
      method: 'GET',
      path: `${API}/price-lists/current`,
      summary: 'The lists in force',
      built: true,
      query: AsOfQuery.extend(ListQuery.shape),
      responses: { 200: { description: 'What usage is rated by', schema: z.union([PriceLists, PriceList]) } },
    },
    {
      operationId: 'correctPriceList',
      method: 'POST',
      path: `${API}/price-lists/:id/correct`,
      summary: 'Correct prices of a list, and re-rate past events by them; a dry run says what would change',
      built: true,
      body: PriceCorrection,
      responses: { 200: { description: 'Differences', schema: PriceCorrectionResult } },
    },
    {
      operationId: 'setExchangeRate',
      method: 'POST',
      path: `${API}/exchange-rates`,
      summary: 'Set what one currency is worth in another',
      built: true,
      body: ExchangeRateBody,
      responses: { 201: { description: 'In force', schema: ExchangeRate } },
    },
    {
      operationId: 'listExchangeRates',
      method: 'GET',
      path: `${API}/exchange-rates`,
      summary: 'Exchange rates, newest first',
      built: true,
      query: ListQuery,
      responses: { 200: { description: 'A page', schema: ExchangeRates } },
    },
  ]),
];
