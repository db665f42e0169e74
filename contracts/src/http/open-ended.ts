/** For `z.toJSONSchema`: what we send may grow new members, so nobody who validates it should refuse them. */
export const openEnded = ({ jsonSchema }: { jsonSchema: { additionalProperties?: unknown } }): void => {
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
};
