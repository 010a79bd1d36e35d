import type { StandardSchemaWithJSON } from "@modelcontextprotocol/server";
import * as v from "valibot";

type Json = Record<string, unknown>;

/** Seconds: a day, which is longer than anybody waits. */
const MAX_TIMEOUT_S = 86_400;

const text: Json = { type: "string" };
const nullableText: Json = { type: ["string", "null"] };
const boolean: Json = { type: "boolean" };

function object(properties: Record<string, Json>, required = Object.keys(properties)): Json {
  return { type: "object", properties, required, additionalProperties: false };
}
function orNull(schema: Json): Json {
  return { anyOf: [schema, { type: "null" }] };
}
function described(schema: Json, description: string): Json {
  return { ...schema, description };
}

/** What a tool takes: judged by valibot, told to clients as JSON Schema. */
function input<T extends v.GenericSchema>(
  schema: T,
  json: Json,
): StandardSchemaWithJSON<v.InferInput<T>, v.InferOutput<T>> {
  const standard = schema["~standard"] as StandardSchemaWithJSON<
    v.InferInput<T>,
    v.InferOutput<T>
  >["~standard"];
  return { "~standard": { ...standard, jsonSchema: { input: () => json, output: () => json } } };
}

/** What a tool answers. We made it ourselves: the tests let the client's SDK judge it. */
function output(json: Json): StandardSchemaWithJSON<Json, Json> {
  return {
    "~standard": {
      version: 1,
      vendor: "codex-login",
      validate: (value) => ({ value: value as Json }),
      jsonSchema: { input: () => json, output: () => json },
    },
  };
}

const timeoutJson = described(
  { type: "integer", minimum: 1, maximum: MAX_TIMEOUT_S },
  "Seconds until the sign-in ends by itself",
);
const Timeout = v.optional(
  v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_TIMEOUT_S)),
);

export const LoginInput = input(
  v.strictObject({ timeoutSeconds: Timeout }),
  object({ timeoutSeconds: { ...timeoutJson, default: 600 } }, []),
);
export const NothingInput = input(v.strictObject({}), object({}));
export const CancelInput = input(
  v.strictObject({ loginId: v.optional(v.string()) }),
  object({ loginId: described(text, "Only this sign-in; without it the one that waits") }, []),
);
export const LogoutInput = input(
  v.strictObject({ localOnly: v.optional(v.boolean(), false) }),
  object({
    localOnly: {
      ...described(boolean, "Delete the login here without revoking its tokens at the issuer"),
      default: false,
    },
  }, []),
);

const account = object({
  email: nullableText,
  plan: text,
  accountId: described(nullableText, "The workspace"),
  userId: nullableText,
});
const error = object({
  code: described(text, "Stable, in capitals"),
  message: text,
  cause: nullableText,
  hint: described(text, "What to do next"),
});
const notes = described(
  { type: "array", items: text },
  "What the person should know, one sentence each",
);
const method: Json = { enum: ["browser", "device_code"] };
const time = described(text, "RFC 3339, UTC");
const waiting = {
  loginId: text,
  method,
  authUrl: described(text, "browser: where the person signs in"),
  verificationUrl: described(text, "device_code: where the person enters the code"),
  userCode: described(text, "device_code: what the person enters"),
  expiresAt: time,
};
const place = {
  store: described(text, "file, keyring, or host: the memory of this server"),
  path: nullableText,
};
const ended = { loginId: text, method, account, ...place, error };

export const SignInOutput = output(object({
  status: { enum: ["waiting", "signed_in", "failed"] },
  ...waiting,
  ...ended,
  notes,
}, ["status"]));

export const StatusOutput = output(object({
  loggedIn: boolean,
  authMode: nullableText,
  account: orNull(account),
  accessToken: orNull(object({ expiresAt: nullableText, expired: boolean })),
  ...place,
  issuer: nullableText,
  overriddenBy: described(nullableText, "The variable that programs use instead of what is stored"),
  pending: orNull(object(waiting, ["loginId", "method", "expiresAt"])),
  lastSignIn: orNull(
    object({ status: { enum: ["signed_in", "failed"] }, ...ended }, [
      "status",
      "loginId",
      "method",
    ]),
  ),
  notes,
}));

export const CancelOutput = output(object({ cancelled: boolean, loginId: nullableText }));

export const LogoutOutput = output(object({
  removed: boolean,
  revoked: described(boolean, "The issuer ended the tokens"),
  revocationError: described(nullableText, "Why it did not: a stable code"),
  notes,
}));
