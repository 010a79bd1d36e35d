import type { DeviceLoginEvent } from "../device_login.ts";
import { formatDuration } from "../duration.ts";
import { toLoginError } from "../errors.ts";
import { formatJson } from "../json.ts";
import type { LoginEvent } from "../login.ts";
import { printable } from "../printable.ts";
import { formatRfc3339 } from "../rfc3339.ts";
import { formatLink, type TerminalStyle } from "../terminal.ts";
import type { World } from "../world.ts";
import { accountJson, describeAccount, describePlace } from "../account_words.ts";
import type { CommandContext } from "./command.ts";
import { describeWaiting } from "./waiting_words.ts";

type Event = LoginEvent | DeviceLoginEvent;

/** One object a line, for programs. */
export function tellInJson({ world, say }: CommandContext): (event: Event) => void {
  return (event) => {
    switch (event.type) {
      case "note":
        return say(printable(event.message));
      case "waiting": {
        const { authUrl, port } = event;
        return world.writeData(formatJson({ event: "waiting", authUrl, port }));
      }
      case "device_code": {
        const { verificationUrl, userCode } = event;
        const expiresAt = formatRfc3339(event.expiresAt);
        const members = { verificationUrl, userCode, expiresAt };
        return world.writeData(formatJson({ event: "device_code", ...members }));
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
  { world, config, options, say }: CommandContext,
  style: TerminalStyle,
  drawQr: ((address: string) => void) | undefined,
): (event: Event) => void {
  return (event) => {
    switch (event.type) {
      case "note": {
        const note = printable(event.message);
        return note.startsWith("Warning:") ? world.writeWords(note) : say(note);
      }
      case "waiting": {
        // Even quiet has to show the address: without it nobody can sign in.
        const issuer = new URL(config.issuer.base).host;
        const words = describeWaiting(event, issuer, options.flag("no-browser"));
        say(words.before);
        world.writeWords(formatLink(event.authUrl, style));
        drawQr?.(event.authUrl);
        return words.after.forEach(say);
      }
      case "device_code": {
        const { verificationUrl, userCode, expiresAt } = event;
        say("To sign in, open this address in a browser on any device:");
        world.writeWords(formatLink(verificationUrl, style));
        drawQr?.(verificationUrl);
        say(`Enter this code there, within ${formatDuration(expiresAt - world.now())}:`);
        world.writeWords(style.color ? `\x1b[1m${userCode}\x1b[0m` : userCode);
        // Nor must quiet leave out what protects a person.
        return world.writeWords(
          "Never enter a code that somebody else sent you: go on only if you started this sign-in " +
            "yourself (Ctrl-C cancels).",
        );
      }
      case "saved":
        say(`Signed in as ${describeAccount(event.login.account)}.`);
        return say(`Saved in ${describePlace(event.login)}.`);
    }
  };
}
