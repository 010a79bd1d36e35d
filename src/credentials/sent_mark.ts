import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { unlink } from "node:fs/promises";
import { ERROR_KINDS, type ErrorCode } from "../error_kinds.ts";
import { openNoFollow } from "../no_follow.ts";
import { readSmallFile } from "../small_file.ts";

/** What became of a refresh token that was sent to the issuer, as far as the processes before us know. */
export interface SentToken {
  /** It may have reached the issuer, and the answer was never saved: a process was killed, or the connection broke. */
  readonly wasCutOff: boolean;
  /** How and when, in ms since the epoch, the last request with it failed. */
  readonly failure: { readonly code: ErrorCode; readonly at: number } | undefined;
}

/** A note in CODEX_HOME on the one refresh token that is, or was last, on its way. Best effort: nothing depends on it. */
export interface SentMark {
  /** Undefined when this token was never sent, or its story has ended. */
  read(refreshToken: string): Promise<SentToken | undefined>;
  write(refreshToken: string, sent: SentToken): Promise<void>;
  clear(): Promise<void>;
}

const MAX_BYTES = 200;
/** Neither through a link nor into a FIFO that nobody reads. */
const REPLACE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC |
  (constants.O_NONBLOCK ?? 0);

const FORM = /^(\S{22}) (cut|whole)(?: ([A-Z_]+) (\d{1,15}))?$/;

export function createSentMark(path: string): SentMark {
  return {
    async read(refreshToken): Promise<SentToken | undefined> {
      const text = await readSmallFile(path, MAX_BYTES, (reason) => new Error(reason)).catch(() =>
        ""
      );
      const match = FORM.exec(text ?? "");
      if (!match || match[1] !== fingerprint(refreshToken)) return undefined;
      const [, , story, code = "", at] = match;
      return {
        wasCutOff: story === "cut",
        failure: Object.hasOwn(ERROR_KINDS, code)
          ? { code: code as ErrorCode, at: Number(at) }
          : undefined,
      };
    },
    write(refreshToken, { wasCutOff, failure }): Promise<void> {
      const end = failure ? ` ${failure.code} ${failure.at}` : "";
      const text = `${fingerprint(refreshToken)} ${wasCutOff ? "cut" : "whole"}${end}`;
      return replace(path, text).catch(() => {});
    },
    clear: () => unlink(path).catch(() => {}),
  };
}

async function replace(path: string, text: string): Promise<void> {
  const file = await openNoFollow(path, REPLACE, 0o600);
  await file.writeFile(text).finally(() => file.close());
}

/** Enough to know a token again, and nothing to find it by. */
function fingerprint(token: string): string {
  return createHash("sha256").update(token).digest("base64url").slice(0, 22);
}
