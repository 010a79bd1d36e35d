import * as v from "valibot";
import type { Fetch } from "../world.ts";
import type { Client, CodeGrant } from "./attempt.ts";
import { answerFault } from "./answer_fault.ts";
import {
  type DeviceCode,
  readInterval,
  readLifetime,
  readUserCode,
  unusable,
} from "./device_code.ts";
import { readRefusal } from "./error_response.ts";
import { calculateCodeChallenge } from "./pkce.ts";
import { type PollAnswer, readPollAnswer, refusedByIssuer } from "./poll_answer.ts";
import { readDate, readTokenAnswer } from "./token.ts";

const JSON_HEADERS = { "content-type": "application/json", accept: "*/*" } as const;

/** The reference's issuer says nothing else while the person has not entered the code. */
const PENDING_STATUSES = [403, 404];

const Text = v.pipe(v.string(), v.minLength(1), v.maxLength(8_192));

const UserCodeResponse = v.looseObject({
  device_auth_id: Text,
  user_code: v.nullish(Text),
  usercode: v.nullish(Text),
});

/** 1*VSCHAR (RFC 6749 A.11, RFC 7636 4.1): what can be sent in a form and comes back as it was. */
const Sendable = v.pipe(Text, v.regex(/^[\x20-\x7e]+$/));

const DeviceTokenResponse = v.object({
  authorization_code: Sendable,
  code_challenge: Sendable,
  code_verifier: Sendable,
});

/** A sign-in under way in the reference's protocol. */
export interface DeviceAuthorization extends DeviceCode {
  /** Secret: who has it and the code gets the tokens. */
  readonly deviceAuthId: string;
  /** As the issuer wrote it. */
  readonly sentUserCode: string;
}

/** What the issuer gives for a completed sign-in: an authorization code, and the verifier that it made itself. */
export interface DeviceGrant extends CodeGrant {
  readonly code: string;
}

/**
 * Asks for a code in the reference's protocol.
 *
 * @param now the local clock, ms since the epoch.
 * @returns undefined when the issuer has no such endpoint, or has turned it off (404).
 * @throws {LoginError} AUTHORIZATION_FAILED, TOKEN_RESPONSE_INVALID, or what the transport throws.
 */
export async function requestUserCode(
  fetch: Fetch,
  { issuer, clientId }: Client,
  now: number,
  signal: AbortSignal,
): Promise<DeviceAuthorization | undefined> {
  const response = await fetch(`${issuer.base}/api/accounts/deviceauth/usercode`, {
    method: "POST",
    headers: JSON_HEADERS,
    body: JSON.stringify({ client_id: clientId }),
    redirect: "manual",
    signal,
  });
  if (response.status === 404) return undefined;
  if (response.status !== 200) {
    const refusal = await readRefusal(response, []);
    throw answerFault(response, refusal.description) ??
      refusedByIssuer("The issuer gave no code", refusal, response.status);
  }
  const answer = await readTokenAnswer(response, UserCodeResponse);
  const sentUserCode = answer.user_code ?? answer.usercode;
  if (!sentUserCode) throw unusable('its member "user_code" is missing or unusable');
  return {
    deviceAuthId: answer.device_auth_id,
    sentUserCode,
    userCode: readUserCode(sentUserCode),
    verificationUrl: `${issuer.base}/codex/device`,
    intervalMs: readInterval(answer["interval"]),
    lifetimeMs: readLifetime(answer, readDate(response) ?? now),
  };
}

/**
 * Asks once whether the person is done.
 *
 * @param limitMs for the whole request.
 * @throws {LoginError} as `readPollAnswer`; TOKEN_RESPONSE_INVALID; or what the transport throws.
 */
export async function pollDeviceToken(
  fetch: Fetch,
  { issuer, clientId }: Client,
  { deviceAuthId, sentUserCode }: DeviceAuthorization,
  { limitMs, now, signal }: { limitMs: number; now: number; signal: AbortSignal },
): Promise<PollAnswer<DeviceGrant>> {
  const response = await fetch(`${issuer.base}/api/accounts/deviceauth/token`, {
    method: "POST",
    headers: JSON_HEADERS,
    body: JSON.stringify({ device_auth_id: deviceAuthId, user_code: sentUserCode }),
    redirect: "manual",
    limitMs,
    signal,
  });
  return await readPollAnswer(response, {
    secrets: [deviceAuthId, sentUserCode],
    pendingStatuses: PENDING_STATUSES,
    now,
    async readGrant(granted): Promise<DeviceGrant> {
      const answer = await readTokenAnswer(granted, DeviceTokenResponse);
      if (await calculateCodeChallenge(answer.code_verifier) !== answer.code_challenge) {
        throw unusable("its code_challenge is not that of its code_verifier");
      }
      return {
        issuer,
        clientId,
        code: answer.authorization_code,
        codeVerifier: answer.code_verifier,
        redirectUri: `${issuer.base}/deviceauth/callback`,
      };
    },
  });
}
