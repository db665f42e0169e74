import { ChannelBody, ChannelPatch } from '../alerts/channel.js';
import { ReasonBody } from '../budgets/commands.js';
import { ReadQuery } from '../fields/query.js';
import { Alert, AlertList } from '../responses/budget.js';
import { ChannelAnswer, ChannelList, ChannelTestAnswer, Delivery, DeliveryList } from '../responses/channel.js';
import { AlertListQuery, ListQuery, StreamQuery } from './queries.js';
import { API, routes } from './route.js';

const ALERT = `${API}/alerts/:id`;
const CHANNEL = `${API}/channels/:id`;
const alert = { 200: { description: 'The alert', schema: Alert } };
const channel = { 200: { description: 'The channel', schema: ChannelAnswer } };

const recordRoutes = routes('alerts', 'api', [
  {
    operationId: 'listAlerts',
    built: true,
    method: 'GET',
    path: `${API}/alerts`,
    summary: 'Alerts, newest first',
    query: AlertListQuery,
    responses: { 200: { description: 'A page', schema: AlertList } },
  },
  { operationId: 'getAlert', built: true, method: 'GET', path: ALERT, summary: 'An alert', query: ReadQuery, responses: alert },
  {
    operationId: 'acknowledgeAlert',
    built: true,
    method: 'POST',
    path: `${ALERT}/acknowledge`,
    summary: 'Acknowledge it',
    body: ReasonBody,
    bodyOptional: true,
    responses: alert,
  },
  {
    operationId: 'listDeliveries',
    method: 'GET',
    built: true,
    path: `${ALERT}/deliveries`,
    summary: 'Where it was sent, attempt by attempt',
    query: ListQuery,
    responses: { 200: { description: 'A page', schema: DeliveryList } },
  },
  {
    operationId: 'listChannels',
    method: 'GET',
    built: true,
    path: `${API}/channels`,
    summary: 'Notification channels',
    query: ListQuery,
    responses: { 200: { description: 'A page', schema: ChannelList } },
  },
  {
    operationId: 'createChannel',
    method: 'POST',
    built: true,
    path: `${API}/channels`,
    summary: 'Add a channel; a webhook secret is shown once',
    body: ChannelBody,
    responses: { 201: { description: 'Made', schema: ChannelAnswer } },
  },
  { operationId: 'getChannel', method: 'GET', built: true, path: CHANNEL, summary: 'A channel', responses: channel },
  {
    operationId: 'patchChannel',
    isVersioned: true,
    method: 'PATCH',
    built: true,
    path: CHANNEL,
    summary: 'Change a channel',
    body: ChannelPatch,
    responses: channel,
  },
  {
    operationId: 'deleteChannel',
    isVersioned: true,
    method: 'DELETE',
    built: true,
    path: CHANNEL,
    summary: 'Remove a channel',
    responses: { 204: { description: 'Done' } },
  },
  {
    operationId: 'stream',
    built: true,
    method: 'GET',
    path: `${API}/stream`,
    summary: 'Balances and alerts as they change (SSE)',
    query: StreamQuery,
    responses: { 200: { description: 'Server-sent events', contentType: 'text/event-stream' } },
  },
]);

/** What goes out of the installation, goes out from alerting. */
const outgoingRoutes = routes('alerts', 'alerting', [
  {
    operationId: 'replayDelivery',
    method: 'POST',
    built: true,
    path: `${ALERT}/deliveries/:deliveryId/replay`,
    summary: 'Send it again, under the id it has',
    responses: { 202: { description: 'Queued', schema: Delivery } },
  },
  {
    operationId: 'testChannel',
    method: 'POST',
    built: true,
    path: `${CHANNEL}/test`,
    summary: 'Send a test message',
    responses: { 200: { description: 'How it went', schema: ChannelTestAnswer } },
  },
]);

export const alertRoutes = [...recordRoutes, ...outgoingRoutes];
