/**
 * A program with a web server of its own: the browser's answer comes to that, beside its other routes, and no second port is
 * needed. The login is kept in memory.
 *
 * Environment: ISSUER (default: the usual one), PORT (default: 1455, which the usual issuer knows).
 */
// deno-lint-ignore-file no-console -- a program's own words
import { serve } from "@hono/node-server";
import { createCallbackApp, createMemoryStore, getAccessToken, LoginError } from "codex-login";
import { Hono } from "hono";

const { ISSUER, PORT = "1455" } = process.env;
const store = createMemoryStore();

const { app, authUrl, done } = await createCallbackApp({
  issuer: ISSUER,
  redirectUri: `http://127.0.0.1:${PORT}/auth/callback`,
  store,
});

const host = new Hono();
host.get("/", (c) => c.text("This program's own page. Sign in at /sign-in"));
host.get("/sign-in", (c) => c.redirect(authUrl));
host.route("/", app);

// On loopback only: nobody else has any business with a sign-in.
const server = serve(
  { fetch: host.fetch, hostname: "127.0.0.1", port: Number(PORT) },
  () => console.log(`Open http://127.0.0.1:${PORT}/sign-in`),
);

try {
  const { account } = await done;
  const { expiresAt } = await getAccessToken({ store });
  console.log(`Signed in as ${account.email ?? "somebody"}, with a token until ${expiresAt}.`);
} catch (thrown) {
  if (!(thrown instanceof LoginError)) throw thrown;
  console.error(`${thrown.code}: ${thrown.message}`);
  process.exitCode = thrown.exitCode;
} finally {
  server.close();
}
