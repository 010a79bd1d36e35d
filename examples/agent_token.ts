/**
 * An agent that makes requests to an API, each with a token that works: it asks for one every time, which costs nothing while
 * the stored one is good, and asks for another once when the API refuses it. Any number of such agents share one login.
 *
 * Environment: API, the address to ask. Arguments: the questions.
 */
// deno-lint-ignore-file no-console -- a program's own words
import { getAccessToken, LoginError } from "codex-login";

const { API = "http://127.0.0.1:8080/" } = process.env;

async function send(question: string, token: string, accountId: string | null): Promise<Response> {
  return await fetch(API, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      ...(accountId === null ? {} : { "chatgpt-account-id": accountId }),
    },
    body: question,
  });
}

async function ask(question: string): Promise<string> {
  const { token, accountId } = await getAccessToken();
  let response = await send(question, token, accountId);
  if (response.status === 401) {
    const another = await getAccessToken({ refused: token });
    response = await send(question, another.token, another.accountId);
  }
  if (!response.ok) throw new Error(`The API answered ${response.status}`);
  return await response.text();
}

try {
  for (const question of process.argv.slice(2)) console.log(await ask(question));
} catch (thrown) {
  if (!(thrown instanceof LoginError)) throw thrown;
  // With exit code 4 somebody has to sign in anew.
  console.error(`${thrown.code}: ${thrown.message}. Try: ${thrown.hint}`);
  process.exitCode = thrown.exitCode;
}
