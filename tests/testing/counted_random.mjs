/**
 * Loaded before the program: its random numbers only count, so that the names of its temporary files are the same in every
 * run, and strace can be told to wait for one of them. Not TypeScript, because Node 20 loads it too.
 */
let calls = 0;

crypto.getRandomValues = (array) => {
  calls++;
  return array.fill(0).fill(calls, 0, 1);
};
