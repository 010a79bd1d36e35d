/**
 * Does the same work for each item, a few at a time, since programs mostly wait.
 *
 * @throws {Error} all failures in one text, each with the item's name.
 */
export async function together<T extends { readonly name: string }>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  atOnce = 4,
): Promise<void> {
  const queue = [...items];
  const failures: string[] = [];
  const take = async (): Promise<void> => {
    for (let item = queue.shift(); item; item = queue.shift()) {
      const { name } = item;
      await work(item).catch((thrown) => failures.push(`${name}: ${thrown.stack ?? thrown}`));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, take));
  if (failures.length > 0) throw new Error(failures.join("\n\n"));
}
