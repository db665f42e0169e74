/**
 * What is wrong with a package-lock.json. It may name no registry (`resolved`): the same file must install from whichever
 * registry a machine is set up with. Every package from a registry has its integrity.
 */
export const lockfileProblems = (text: string): readonly string[] => {
  const { packages } = JSON.parse(text) as {
    packages: Record<string, { resolved?: string; link?: boolean; integrity?: string; inBundle?: boolean }>;
  };
  return Object.entries(packages).flatMap(([path, { resolved, link, integrity, inBundle }]) => {
    const named =
      resolved !== undefined && /^[a-z+]+:\/\//.test(resolved) ? [`${path} names its registry: install with .npmrc in place`] : [];
    const needsIntegrity = path.includes('node_modules/') && link !== true && inBundle !== true;
    return needsIntegrity && integrity === undefined ? [...named, `${path} has no integrity`] : named;
  });
};
