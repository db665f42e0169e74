/** Names of streams: `category-id`, no `-` inside the category. */
export const usageStream = (tenant: string): string => `usage-${tenant}`;
export const scopeStream = (tenant: string): string => `scope-${tenant}`;
export const tenantStream = (tenant: string): string => `tenant-${tenant}`;
export const budgetStream = (tenant: string, budgetId: string): string => `budget-${tenant}.${budgetId}`;
export const balanceStream = (tenant: string, budgetId: string): string => `balance-${tenant}.${budgetId}`;
export const holdsStream = (partition: number): string => `holds-${partition}`;
export const alertStream = (tenant: string): string => `alert-${tenant}`;
/** Who acknowledged which alert: apart from the alerts, whose revisions have no gaps. */
export const acknowledgementStream = (tenant: string): string => `acknowledgement-${tenant}`;
export const litellmStream = (tenant: string): string => `litellm-${tenant}`;
