import { CheckBody, CheckConstraintsBody, ExplainBody, ReservationBody } from '../enforcement/check.js';
import { readCheckFast, readReservationFast } from '../enforcement/fast.js';
import { MyBudgetQuery, ReadQuery } from '../fields/query.js';
import { CheckAnswer, ConstraintsAnswer, ExplainAnswer, MyBudgetAnswer, Reservation, ReservationAnswer } from '../responses/enforcement.js';
import { API, routes } from './route.js';

export const enforcementRoutes = [
  ...routes('enforcement', 'budget-projector', [
    {
      operationId: 'check',
      isQuestion: true,
      method: 'POST',
      path: `${API}/check`,
      summary: 'May these scopes spend this?',
      query: ReadQuery,
      body: CheckBody,
      readBodyFast: readCheckFast,
      responses: { 200: { description: 'Always an answer, also where it is no', schema: CheckAnswer } },
      built: true,
    },
    {
      operationId: 'checkConstraints',
      isQuestion: true,
      method: 'POST',
      path: `${API}/budgets/:id/check-constraints`,
      summary: 'May this be spent on this budget, its scopes’ others and those above?',
      query: ReadQuery,
      body: CheckConstraintsBody,
      responses: { 200: { description: 'Always an answer, also where it is no', schema: ConstraintsAnswer } },
      built: true,
    },
    {
      operationId: 'reserve',
      method: 'POST',
      path: `${API}/reservations`,
      summary:
        'Hold an amount on every applicable budget, all or none; quantities without a price are 402 price_missing where a budget blocks or the tenant denies them, else hold 0',
      query: ReadQuery,
      body: ReservationBody,
      readBodyFast: readReservationFast,
      responses: { 201: { description: 'Held, now or when it was first asked for', schema: ReservationAnswer } },
      built: true,
    },
    {
      operationId: 'getReservation',
      method: 'GET',
      path: `${API}/reservations/:id`,
      summary: 'A hold, and what became of it',
      query: ReadQuery,
      responses: { 200: { description: 'As the owner has it', schema: Reservation } },
      built: true,
    },
    {
      operationId: 'releaseReservation',
      method: 'DELETE',
      path: `${API}/reservations/:id`,
      summary: 'Release a hold',
      responses: { 204: { description: 'Nothing is held any more' } },
      built: true,
    },
  ]),
  ...routes('enforcement', 'api', [
    {
      operationId: 'explain',
      method: 'POST',
      path: `${API}/explain`,
      summary: 'Which budgets applied, which decided, and why',
      query: ReadQuery,
      body: ExplainBody,
      responses: { 200: { description: 'Every budget that applied, with its figures then', schema: ExplainAnswer } },
      built: true,
    },
    {
      operationId: 'getMyBudget',
      method: 'GET',
      path: `${API}/me/budget`,
      summary: 'What the calling key may still spend',
      query: MyBudgetQuery,
      responses: { 200: { description: 'The tightest budget', schema: MyBudgetAnswer } },
      built: true,
    },
  ]),
];
