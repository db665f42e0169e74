/** Remembers what was read of each immutable object for as long as that is kept: definitions are asked for with every event and decision. */
export const readOnce = <K extends object, V>(read: (of: K) => V): ((of: K) => V) => {
  const known = new WeakMap<K, Readonly<{ value: V }>>();
  return (of) => {
    const before = known.get(of);
    if (before !== undefined) return before.value;
    const value = read(of);
    known.set(of, { value });
    return value;
  };
};
