import { toLoginError } from "../errors.ts";
import { formatJson } from "../json.ts";
import type { LoginEvent } from "../login.ts";
import { printable } from "../printable.ts";
import { formatLink, type TerminalStyle } from "../terminal.ts";
import type { World } from "../world.ts";
import { accountJson, describeAccount, describePlace } from "./account_words.ts";
import type { CommandContext } from "./command.ts";

/** One object a line, for programs. */
export function tellInJson({ world, say }: CommandContext): (event: LoginEvent) => void {
  return (event) => {
    switch (event.type) {
      case "note":
        return say(printable(event.message));
      case "waiting": {
        const { authUrl, port } = event;
        return world.writeData(formatJson({ event: "waiting", authUrl, port }));
      }
      case "saved": {
        const { account, store, path } = event.login;
        return tellCompleted(world, { account: accountJson(account), store, path });
      }
    }
  };
}

/** The login is saved: that nobody can be told is no failure of it any more. */
export function tellCompleted(world: World, members: Record<string, unknown>): void {
  try {
    world.writeData(formatJson({ event: "completed", ...members }));
  } catch (thrown) {
    const { message, reason } = toLoginError(thrown);
    world.writeWords(printable(`Warning: the login is saved, but ${message} (${reason}).`));
  }
}

export function tellInWords(
  { world, options, say }: CommandContext,
  style: TerminalStyle,
): (event: LoginEvent) => void {
  return (event) => {
    switch (event.type) {
      case "note":
        return say(printable(event.message));
      case "waiting": {
        // Even quiet has to show the address: without it nobody can sign in.
        const opens = !options.flag("no-browser");
        say(
          opens ? "Opening this address in your browser:" : "Open this address to sign in:",
        );
        world.writeWords(formatLink(event.authUrl, style));
        return say(
          `Waiting on port ${event.port} (Ctrl-C cancels). Is the browser on another machine? ` +
            `Run there first: ssh -L ${event.port}:127.0.0.1:${event.port} THIS-HOST`,
        );
      }
      case "saved":
        say(`Signed in as ${describeAccount(event.login.account)}.`);
        return say(`Saved in ${describePlace(event.login.path)}.`);
    }
  };
}
