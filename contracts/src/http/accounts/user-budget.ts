import { z } from 'zod';
import { MAX_BALANCE_PICOS } from '../../values/money.js';
import { amountText, percentText } from '../fields/amount.js';
import { spokenAmount } from '../fields/money.js';
import { flag, freeText, oneOf, plainText, remark } from '../fields/text.js';

const usd = amountText({ max: MAX_BALANCE_PICOS }, { description: 'USD' });

const settings = {
  monthlyLimitUsd: usd.optional(),
  customLimitUsd: usd.nullable().optional(),
  budgetPeriod: oneOf('daily', 'weekly', 'monthly', 'quarterly', 'annual', 'yearly').optional(),
  enforceBudget: flag.optional(),
  alertThresholdYellow: percentText(1000).optional(),
  alertThresholdOrange: percentText(1000).optional(),
  alertThresholdRed: percentText(1000).optional(),
};

/** `PUT /budget/settings`: a user's own budget. */
export const UserBudgetSettings = z.strictObject(settings).meta({ id: 'UserBudgetSettings' });

/** `PUT /budget/admin/configure`. */
export const ConfigureUserBudget = z
  .strictObject({
    userId: plainText(128),
    ...settings,
    budgetVisibleToUser: flag.optional(),
    userCanModifyLimit: flag.optional(),
    userCanResetBudget: flag.optional(),
    adminNotes: freeText(4_000).optional(),
  })
  .meta({ id: 'ConfigureUserBudget' });

/** `POST /budget/admin/reset/:userId`. */
export const ResetUserBudget = z
  .strictObject({ reason: remark(1_000), newLimit: spokenAmount().optional() })
  .meta({ id: 'ResetUserBudget' });
