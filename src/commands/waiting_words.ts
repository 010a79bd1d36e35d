import type { LoginEvent } from "../login.ts";

type Waiting = Extract<LoginEvent, { type: "waiting" }>;

/** What stands before the address, and what after it. */
export interface WaitingWords {
  readonly before: string;
  readonly after: readonly string[];
}

/** Says what was noticed of the place, and how the answer comes back when the browser is on another machine. */
export function describeWaiting(
  { opens, surroundings, port }: Waiting,
  issuer: string,
  isAskedNotToOpen: boolean,
): WaitingWords {
  const { noticed, ways } = surroundings;
  const place = noticed.length > 0 ? `This looks like ${noticed.join(", ")}` : undefined;
  const isSaidFirst = place !== undefined && !opens && !isAskedNotToOpen;
  const before = opens
    ? "Opening this address in your browser:"
    : isSaidFirst
    ? `${place}: no browser is opened. Open this address in one:`
    : "Open this address to sign in:";
  const waiting = `Signing in to ${issuer}; waiting on port ${port} (Ctrl-C cancels).`;
  if (opens && place === undefined) {
    return {
      before,
      after: [
        waiting,
        "Is the browser on another machine? Use a device code: codex-login login --device-auth",
      ],
    };
  }
  const commands = ways.length > 0 ? ways : [`ssh -L ${port}:127.0.0.1:${port} THIS-HOST`];
  return {
    before,
    after: [
      waiting,
      ...(place === undefined || isSaidFirst ? [] : [`${place}.`]),
      "If the browser is on another machine, use codex-login login --device-auth, or run there first:",
      // On lines of their own, for whoever copies them.
      ...commands.map((command) => `  ${command}`),
    ],
  };
}
