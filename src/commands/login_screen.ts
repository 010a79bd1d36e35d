import type { LoginHandle } from "../login.ts";
import { formatClipboard, wrapWords } from "../terminal.ts";
import {
  openWaitingScreen,
  type WaitingScreen,
  type WaitingScreenOptions,
} from "../waiting_screen.ts";
import type { CommandContext } from "./command.ts";

/** Milliseconds without an answer after which a person may need help. */
const HELP_MS = 30_000;

const HELP = [
  "Nothing has come back yet. If the browser shows an error and no page of ours:",
  "- it runs on another machine: copy the address that it ended at, and paste it here;",
  "- it asks whether to allow access to this device or the local network: allow it;",
  "- it insists on https (HTTPS-only mode): allow http for 127.0.0.1, or paste its address here.",
  "Paste it only here, never into a web page.",
].join("\n");

/** A key that works while a login waits. */
interface Key {
  readonly name: string;
  /** What it does, for people: `opens it again`. */
  readonly label: string;
  act(): void;
}

/** A terminal on which a login waits: the keys that work there, and all words of the login above the line with the time. */
export interface LoginScreen {
  /** The context for the login: its words go through the screen. */
  readonly context: CommandContext;
  /** @param useDeviceCode what the key for it does. */
  showBrowserLogin(
    authUrl: string,
    handle: LoginHandle,
    limitMs: number,
    useDeviceCode: () => void,
  ): void;
  showDeviceLogin(address: string, code: string, limitMs: number): void;
  /** Draws an address with --qr, without a terminal too: somebody asked for it by name. */
  loadQr(): Promise<((address: string) => void) | undefined>;
  close(): void;
}

export async function createLoginScreen(context: CommandContext): Promise<LoginScreen> {
  const { world, options, json } = context;
  const style = await context.style();
  // A log on the same terminal, and a program that reads along, get lines and nothing else.
  const isQuiet = options.flag("quiet");
  const isPlain = !style.links || options.flag("verbose") || isQuiet || json;
  let screen: WaitingScreen | undefined;
  let stopped = new AbortController();

  const columns = style.links ? world.columns() ?? Infinity : Infinity;
  const writeWords = (text: string): void =>
    screen ? screen.say(text) : world.writeWords(wrapWords(text, columns));
  const say = (text: string): void => isQuiet ? undefined : writeWords(text);

  async function show(
    keys: readonly Key[],
    parameters: Pick<WaitingScreenOptions, "title" | "limitMs" | "onText">,
    ...hints: string[]
  ): Promise<void> {
    const { signal } = stopped;
    const actions = Object.fromEntries(keys.map(({ name, act }) => [name, act]));
    const opened = await openWaitingScreen(world, { ...parameters, keys: actions, isPlain });
    if (!opened) return;
    if (signal.aborted) return opened.close();
    screen = opened;
    // In the background nobody presses keys.
    if (!opened.isOpen()) return;
    const labels = keys.map(({ name, label }) => `${name === "enter" ? "Enter" : name} ${label}`);
    say(`${[...labels, "Esc cancels"].join(", ")}.`);
    const [hint, help] = hints;
    if (hint !== undefined) say(hint);
    await world.sleep(HELP_MS, signal);
    if (!signal.aborted && help !== undefined) say(help);
  }

  /** What only a terminal with more than lines can do. */
  const drawing = (copied: string, address: string, what: string): readonly Key[] =>
    isPlain ? [] : [
      {
        name: "c",
        label: `copies ${what}`,
        act(): void {
          screen?.control(formatClipboard(copied));
          say("Copied, if this terminal lets programs do that (OSC 52).");
        },
      },
      {
        name: "q",
        label: "shows a QR code",
        act: () => void loadQrPen().then((draw) => draw(address)),
      },
    ];

  async function loadQrPen(): Promise<(address: string) => void> {
    const { renderQr } = await import("../qr.ts");
    return (address) => writeWords(renderQr(address, style, world.columns()));
  }

  return {
    loadQr: async () => options.flag("qr") ? await loadQrPen() : undefined,
    context: { ...context, world: { ...world, writeWords }, say, answer: writeWords },

    showBrowserLogin(authUrl, handle, limitMs, useDeviceCode): void {
      const keys: Key[] = [
        { name: "enter", label: "opens it in the browser", act: handle.open },
        ...drawing(authUrl, authUrl, "it"),
        { name: "d", label: "uses a device code", act: useDeviceCode },
      ];
      const onText = (text: string): void =>
        void handle.paste(text).then((outcome) =>
          say(outcome.isTaken ? "Taken; signing in." : outcome.why)
        );
      void show(
        keys,
        { title: "waiting for the browser", limitMs, onText },
        "Or paste here the address that the browser ends at: only here, never into a web page.",
        HELP,
      );
    },

    showDeviceLogin(address, code, limitMs): void {
      const title = "waiting for the code to be entered";
      void show(drawing(code, address, "the code"), { title, limitMs });
    },

    close(): void {
      stopped.abort();
      stopped = new AbortController();
      screen?.close();
      screen = undefined;
    },
  };
}
