/**
 * A question whose answer is good for all who asked before it was looked for: whoever asks while one is being answered waits, with
 * all others who do, for the next one. So nobody gets an answer that is older than their question, and a thousand at once cost
 * little more than one.
 */
export function shareQuestion<T>(ask: () => Promise<T>): () => Promise<T> {
  let answering: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;

  async function answerNext(): Promise<T> {
    await answering;
    next = undefined;
    const own = ask();
    answering = own.catch(() => {});
    return await own;
  }

  return () => next ??= answerNext();
}
