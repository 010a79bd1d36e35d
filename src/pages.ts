import errorTemplate from "../assets/error.html" with { type: "text" };
import successTemplate from "../assets/success.html" with { type: "text" };
import type { Account } from "./account.ts";
import type { LoginError } from "./errors.ts";
import { BARE_POLICY } from "./hardened_headers.ts";
import { sha256 } from "./oauth/pkce.ts";
import { describeNextStep } from "./next_step.ts";
import { printable } from "./printable.ts";

/** A page and the only content it may have. */
export interface Page {
  readonly status: number;
  readonly html: string;
  readonly contentSecurityPolicy: string;
}

/** Where a browser ends, and where the person is to go on. */
export interface Landing {
  /** Who started the sign-in, and so shows how it went: a terminal, or an editor or another program. */
  readonly place: "terminal" | "program";
  /** The last page offers to open the Codex app, and does so by itself. */
  readonly opensApp?: boolean;
  /** The issuer's page to end at instead of ours, unless an organization is still to be set up. It is told nothing. */
  readonly hostedUrl?: string | undefined;
}

export const TERMINAL: Landing = { place: "terminal" };

/**
 * Says who signed in.
 *
 * @param account undefined where it is not known who asks.
 * @param setupPath where on our own host the organization's set-up is reached, if it is still to be done.
 */
export function renderSuccessPage(
  account: Account | undefined,
  { place, opensApp = false }: Landing = TERMINAL,
  setupPath?: string,
): Promise<Page> {
  const next = place === "terminal" ? "terminal" : opensApp ? "app" : "program";
  return render(200, successTemplate, {
    [`${next}Done`]: setupPath ? undefined : "yes",
    setup: setupPath,
    email: account?.email ?? undefined,
    plan: account?.plan === "unknown" ? undefined : account?.plan,
    workspace: account?.workspaceName ?? account?.accountId ?? undefined,
  });
}

/**
 * Says what failed, why, and what to do next, in the same words as the terminal.
 *
 * @param reference the attempt's id, as the log has it.
 */
export function renderErrorPage(
  error: LoginError,
  { place }: Landing = TERMINAL,
  reference?: string,
): Promise<Page> {
  const isTerminal = place === "terminal";
  const hint = isTerminal ? error.hint : describeNextStep(error.hint);
  return render(error.kind.page, errorTemplate, {
    title: error.kind.title,
    message: error.message,
    reason: error.reason && toSentence(error.reason),
    hint: /^codex-login\b/.test(hint) ? `Run: ${hint}` : toSentence(hint),
    closing: isTerminal
      ? "Your terminal shows the same message. You can close this tab."
      : "The program that started the sign-in was told the same. You can close this tab.",
    code: error.code,
    reference,
  });
}

/** For requests that cannot be the answer to the sign-in under way. It tells nothing about that one. */
export function renderForeignPage({ place }: Landing = TERMINAL): Promise<Page> {
  const where = place === "terminal" ? "your terminal" : "the program that you came from";
  return render(400, errorTemplate, {
    title: "Not the current sign-in",
    message: "This address does not belong to the sign-in that is under way",
    hint: `Use the tab that was opened last, or open the address that ${where} shows.`,
    closing: "The sign-in under way goes on.",
  });
}

/** Terminals show fragments, pages show sentences; but a code of the issuer stays as it is. */
function toSentence(fragment: string): string {
  if (/^\w*[_\d]/.test(fragment)) return fragment;
  return fragment.charAt(0).toUpperCase() + fragment.slice(1);
}

type Values = Readonly<Record<string, string | undefined>>;

async function render(status: number, template: string, values: Values): Promise<Page> {
  // Sections first, on our own text alone: foreign text that looks like a section stays text.
  const kept = template.replace(
    /\{\{#(\w+)\}\}(.*?)\{\{\/\1\}\}\n?/gs,
    (_, name: string, inner: string) => values[name] ? inner : "",
  );
  const html = kept.replace(
    /\{\{(\w+)\}\}/g,
    (_, name: string) => escapeHtml(printable(values[name] ?? "")),
  );
  const styles = await hashes(kept, "style");
  const scripts = await hashes(kept, "script");
  const policy = [
    BARE_POLICY,
    `style-src ${styles}`,
    ...(scripts ? [`script-src ${scripts}`] : []),
  ];
  return { status, html, contentSecurityPolicy: policy.join("; ") };
}

/** The browser runs and applies only what has one of these hashes: what is in the template. */
async function hashes(html: string, element: "style" | "script"): Promise<string> {
  const contents = [...html.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, "gs"))];
  const sources = contents.map(async ([, content = ""]) => {
    const digest = Buffer.from(await sha256(content)).toString("base64");
    return `'sha256-${digest}'`;
  });
  return (await Promise.all(sources)).join(" ");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
