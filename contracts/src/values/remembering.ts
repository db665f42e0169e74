/** A pure function that remembers what it answered for the last few values: decisions of one moment ask for the same again and again. */
export const remembering = <K, V>(answer: (of: K) => V, most: number): ((of: K) => V) => {
  const known = new Map<K, Readonly<{ value: V }>>();
  return (of) => {
    const before = known.get(of);
    if (before !== undefined) return before.value;
    const value = answer(of);
    if (known.size >= most) known.clear();
    known.set(of, { value });
    return value;
  };
};
