import * as v from "valibot";
import { invalidRequest } from "./rpc_error.ts";

/** The members of requests, as the reference's app-server takes them; unknown ones are ignored. */
export const InitializeParams = v.object({
  clientInfo: v.object({
    name: v.string(),
    title: v.optional(v.nullable(v.string())),
    version: v.string(),
  }),
  capabilities: v.optional(v.nullable(v.object({
    experimentalApi: v.optional(v.boolean(), false),
    optOutNotificationMethods: v.optional(v.nullable(v.array(v.string()))),
  }))),
});

export const StartParams = v.variant("type", [
  v.object({ type: v.literal("apiKey"), apiKey: v.string() }),
  v.object({
    type: v.literal("chatgpt"),
    codexStreamlinedLogin: v.optional(v.boolean(), false),
    useHostedLoginSuccessPage: v.optional(v.boolean(), false),
    appBrand: v.optional(v.nullable(v.picklist(["codex", "chatgpt"]))),
  }),
  v.object({ type: v.literal("chatgptDeviceCode") }),
  v.object({
    type: v.literal("chatgptAuthTokens"),
    accessToken: v.string(),
    chatgptAccountId: v.string(),
    chatgptPlanType: v.optional(v.nullable(v.string())),
  }),
  v.object({ type: v.literal("amazonBedrock"), apiKey: v.string(), region: v.string() }),
  v.object({
    type: v.literal("amazonBedrockAccessKeys"),
    accessKeyId: v.string(),
    secretAccessKey: v.string(),
    region: v.string(),
    sessionToken: v.optional(v.nullable(v.string())),
  }),
]);

export type StartParams = v.InferOutput<typeof StartParams>;
export type LoginType = StartParams["type"];

export const CancelParams = v.object({ loginId: v.string() });

export const ReadParams = v.object({ refreshToken: v.optional(v.boolean(), false) });

export const AuthStatusParams = v.object({
  includeToken: v.optional(v.nullable(v.boolean())),
  refreshToken: v.optional(v.nullable(v.boolean())),
});

/** Nothing, or an object without members. */
export const NoParams = v.optional(v.nullable(v.pipe(
  v.custom<unknown>((params) => !Array.isArray(params), "no list"),
  v.strictObject({}),
)));

/** What the other side answers to `account/chatgptAuthTokens/refresh`. */
export const RefreshedExternalTokens = v.object({
  accessToken: v.string(),
  chatgptAccountId: v.string(),
  chatgptPlanType: v.optional(v.nullable(v.string())),
});

/**
 * @throws {RpcError} naming what is missing or wrong, never what was sent: it may be a secret.
 */
export function parseParams<S extends v.GenericSchema>(
  schema: S,
  params: unknown,
): v.InferOutput<S> {
  const parsed = v.safeParse(schema, params);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const name = (v.getDotPath(issue) ?? "params").split(".").at(-1);
  const isMissing = issue.received === "undefined" ||
    (issue.received === "null" && params === null);
  const why = isMissing
    ? `missing field \`${name}\``
    : issue.expected === "never" || issue.type === "custom"
    ? "no field was expected"
    : `invalid \`${name}\`, expected ${issue.expected?.replace(/[()]/g, "") ?? "something else"}`;
  throw invalidRequest(`Invalid request: ${why}`);
}
