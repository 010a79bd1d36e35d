import assert from "node:assert/strict";
import * as v from "valibot";

/** Every message of the app-server, exactly: nothing else may be in one. */
const Id = v.nullable(v.union([v.string(), v.pipe(v.number(), v.safeInteger())]));
const Text = v.pipe(v.string(), v.minLength(1));
const Uuid = v.pipe(v.string(), v.uuid());

const AuthMode = v.picklist([
  "apikey",
  "chatgpt",
  "chatgptAuthTokens",
  "headers",
  "agentIdentity",
  "personalAccessToken",
  "bedrockApiKey",
  "bedrockAccessKeys",
]);
const PlanType = v.picklist([
  "free",
  "go",
  "plus",
  "pro",
  "prolite",
  "promax",
  "team",
  "self_serve_business_prolite",
  "self_serve_business_usage_based",
  "business",
  "ent26",
  "enterprise_cbp_automation",
  "enterprise_cbp_usage_based",
  "enterprise",
  "edu",
  "edu_plus",
  "edu_pro",
  "sci",
  "sci_plus",
  "unknown",
]);

const RESULTS: Readonly<Record<string, v.GenericSchema>> = {
  initialize: v.strictObject({
    userAgent: Text,
    codexHome: Text,
    platformFamily: v.picklist(["unix", "windows"]),
    platformOs: Text,
  }),
  "account/login/start": v.variant("type", [
    v.strictObject({ type: v.literal("apiKey") }),
    v.strictObject({ type: v.literal("chatgpt"), loginId: Uuid, authUrl: v.pipe(Text, v.url()) }),
    v.strictObject({
      type: v.literal("chatgptDeviceCode"),
      loginId: Uuid,
      verificationUrl: v.pipe(Text, v.url()),
      userCode: Text,
    }),
    v.strictObject({ type: v.literal("chatgptAuthTokens") }),
  ]),
  "account/login/cancel": v.strictObject({ status: v.picklist(["canceled", "notFound"]) }),
  "account/logout": v.strictObject({}),
  "account/read": v.strictObject({
    account: v.nullable(v.variant("type", [
      v.strictObject({ type: v.literal("apiKey") }),
      v.strictObject({
        type: v.literal("chatgpt"),
        email: v.nullable(v.string()),
        planType: PlanType,
        workspaceName: v.nullable(v.string()),
      }),
      v.strictObject({
        type: v.literal("amazonBedrock"),
        usesCodexManagedCredentials: v.boolean(),
      }),
    ])),
    userId: v.nullable(v.string()),
    requiresOpenaiAuth: v.boolean(),
    workspaceRouting: v.nullable(v.strictObject({
      chatgptAccountId: Text,
      backendOrigin: v.pipe(Text, v.url()),
      accountRoutingOverride: v.picklist(["NO_CONSTRAINT", "us", "us_cr"]),
    })),
  }),
  getAuthStatus: v.strictObject({
    authMethod: v.nullable(AuthMode),
    authToken: v.nullable(Text),
    requiresOpenaiAuth: v.boolean(),
  }),
};

const FROM_SERVER: Readonly<Record<string, v.GenericSchema>> = {
  "account/login/completed": v.strictObject({
    loginId: v.nullable(Uuid),
    success: v.boolean(),
    error: v.nullable(Text),
    onboardingEntrypoint: v.nullable(v.literal("life_sciences")),
  }),
  "account/updated": v.strictObject({
    authMode: v.nullable(AuthMode),
    planType: v.nullable(PlanType),
  }),
  "account/chatgptAuthTokens/refresh": v.strictObject({
    reason: v.literal("unauthorized"),
    previousAccountId: v.nullable(v.string()),
  }),
};

const ErrorAnswer = v.strictObject({
  error: v.strictObject({
    code: v.picklist([-32700, -32600, -32601, -32603]),
    message: v.pipe(Text, v.maxLength(1_000)),
    data: v.optional(v.strictObject({
      code: v.pipe(v.string(), v.regex(/^[A-Z_]+$/)),
      message: Text,
      cause: v.nullable(Text),
      hint: Text,
    })),
  }),
  id: Id,
});

const RequestEnvelope = v.strictObject({ method: Text, id: v.number(), params: v.unknown() });
const Notification = v.strictObject({
  method: Text,
  params: v.unknown(),
  emittedAtMs: v.pipe(v.number(), v.safeInteger()),
});

type Message = Record<string, unknown>;

/**
 * Holds one message to its schema.
 *
 * @param methodOf of the request with this id.
 */
export function assertMessage(message: Message, methodOf: (id: unknown) => string): void {
  const { method, id, result } = message;
  if ("error" in message) return hold(ErrorAnswer, message);
  if (typeof method !== "string") {
    hold(v.strictObject({ id: Id, result: v.unknown() }), message);
    return hold(RESULTS[methodOf(id)] ?? v.never(), result);
  }
  hold(method === "account/chatgptAuthTokens/refresh" ? RequestEnvelope : Notification, message);
  hold(FROM_SERVER[method] ?? v.never(), message["params"]);
}

function hold(schema: v.GenericSchema, value: unknown): void {
  const parsed = v.safeParse(schema, value);
  const why = parsed.issues?.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`).join("; ");
  assert.ok(parsed.success, `${JSON.stringify(value)}: ${why}`);
}
