import * as v from "valibot";
import type { Fetch } from "../world.ts";
import type { Client } from "./attempt.ts";
import { answerFault } from "./answer_fault.ts";
import { type DeviceCode, readInterval, readLifetime, readUserCode } from "./device_code.ts";
import { readRefusal } from "./error_response.ts";
import { type DeviceEndpoints, readAddress } from "./metadata.ts";
import { type PollAnswer, readPollAnswer, refusedByIssuer } from "./poll_answer.ts";
import {
  FORM_HEADERS,
  readDate,
  readTokenAnswer,
  readTokenResponse,
  type TokenSet,
} from "./token.ts";

const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code";

/** What every OpenID issuer knows, and what is asked for only where it is offered: an unknown scope can be refused. */
const SCOPES = ["openid", "profile", "email", "offline_access"];
const OFFERED_SCOPES = ["api.connectors.read", "api.connectors.invoke"];

const Text = v.pipe(v.string(), v.minLength(1), v.maxLength(2_048));

const DeviceAuthorizationResponse = v.looseObject({
  device_code: v.pipe(v.string(), v.minLength(1), v.maxLength(8_192)),
  user_code: Text,
  verification_uri: Text,
});

/** A sign-in under way by RFC 8628. */
export interface DeviceCodeGrant extends DeviceCode {
  /** Secret: who has it gets the tokens. */
  readonly deviceCode: string;
}

/**
 * Asks for a code by the standard.
 *
 * @param now the local clock, ms since the epoch.
 * @throws {LoginError} AUTHORIZATION_FAILED, TOKEN_RESPONSE_INVALID, or what the transport throws.
 * @see https://www.rfc-editor.org/rfc/rfc8628#section-3.1
 */
export async function requestDeviceAuthorization(
  fetch: Fetch,
  { issuer, clientId }: Client,
  { deviceAuthorization, scopes }: DeviceEndpoints,
  now: number,
  signal: AbortSignal,
): Promise<DeviceCodeGrant> {
  const scope = [...SCOPES, ...OFFERED_SCOPES.filter((one) => scopes.includes(one))].join(" ");
  const response = await fetch(deviceAuthorization.href, {
    method: "POST",
    headers: FORM_HEADERS,
    body: new URLSearchParams({ client_id: clientId, scope }).toString(),
    redirect: "manual",
    signal,
  });
  if (response.status !== 200) {
    const refusal = await readRefusal(response, []);
    throw answerFault(response, refusal.description) ??
      refusedByIssuer("The issuer gave no code", refusal, response.status);
  }
  const answer = await readTokenAnswer(response, DeviceAuthorizationResponse);
  return {
    deviceCode: answer.device_code,
    userCode: readUserCode(answer.user_code),
    verificationUrl: readAddress(issuer, answer.verification_uri, "verification_uri").href,
    intervalMs: readInterval(answer["interval"]),
    lifetimeMs: readLifetime(answer, readDate(response) ?? now),
  };
}

/**
 * Asks once whether the person is done; the answer to that is the tokens themselves.
 *
 * @param limitMs for the whole request.
 * @throws {LoginError} as `readPollAnswer`; TOKEN_RESPONSE_INVALID; or what the transport throws.
 * @see https://www.rfc-editor.org/rfc/rfc8628#section-3.4
 */
export async function pollTokenEndpoint(
  fetch: Fetch,
  { clientId }: Client,
  { token }: DeviceEndpoints,
  deviceCode: string,
  { limitMs, now, signal }: { limitMs: number; now: number; signal: AbortSignal },
): Promise<PollAnswer<TokenSet>> {
  const response = await fetch(token.href, {
    method: "POST",
    headers: FORM_HEADERS,
    body: new URLSearchParams([
      ["grant_type", GRANT_TYPE],
      ["device_code", deviceCode],
      ["client_id", clientId],
    ]).toString(),
    redirect: "manual",
    limitMs,
    signal,
  });
  return await readPollAnswer(response, {
    secrets: [deviceCode],
    pendingStatuses: [],
    readGrant: readTokenResponse,
    now,
  });
}
