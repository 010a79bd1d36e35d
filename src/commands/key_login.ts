import { loginWithAccessToken } from "../access_token_login.ts";
import { accountJson, describeAccount, describePlace } from "../account_words.ts";
import { loginWithApiKey } from "../key_login.ts";
import type { LoginOptions } from "../login.ts";
import { maskKey } from "../printable.ts";
import type { CommandContext } from "./command.ts";
import { tellCompleted } from "./login_words.ts";

const TARGET = "codex_cli::login";

/** @param asks on the terminal, instead of reading stdin. */
export async function runKeyLogin(
  context: CommandContext,
  timeoutMs: number,
  asks: boolean,
): Promise<void> {
  const { world, config, json, say } = context;
  world.log.write("info", TARGET, "starting api key login flow");
  const ask = asks
    ? async () => await (await import("./ask_method.ts")).askKey(context)
    : undefined;
  const { kind, path, apiKey } = await loginWithApiKey(world, config, {
    timeoutMs,
    ask,
    tell: say,
  });
  if (json) tellCompleted(world, { account: null, store: kind, path });
  else {
    say(`API key ${maskKey(apiKey)} saved in ${describePlace({ path, store: kind })}.`);
    say("It will be checked when it is first used.");
  }
}

export async function runAccessTokenLogin(
  { world, config, json, say }: CommandContext,
  options: Pick<LoginOptions, "timeoutMs" | "expectedWorkspaceIds">,
): Promise<void> {
  world.log.write("info", TARGET, "starting access token login flow");
  const { kind, path, account } = await loginWithAccessToken(world, config, {
    ...options,
    tell: say,
  });
  if (json) tellCompleted(world, { account: accountJson(account), store: kind, path });
  else {
    say(`Signed in as ${describeAccount(account)}.`);
    say(`Saved in ${describePlace({ path, store: kind })}.`);
  }
}
