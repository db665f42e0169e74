/**
 * How many of the partitions a replica should own, by how many each live one holds now. All get P ÷ N, the rest goes to those who hold
 * most already: nothing moves that need not, and everybody who sees the same comes to the same.
 */
export const fairShare = (partitions: number, held: ReadonlyMap<string, number>, me: string): number => {
  const least = Math.floor(partitions / held.size);
  const ranked = [...held].sort(([a, ofA], [b, ofB]) => ofB - ofA || (a < b ? -1 : 1));
  const rank = ranked.findIndex(([replica]) => replica === me);
  return least + (rank < partitions % held.size ? 1 : 0);
};
