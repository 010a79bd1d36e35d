import { obtainCallback } from "./fake_browser.ts";
import { createHome, type TestHome } from "./home.ts";
import { startIssuer, type TestIssuer } from "./issuer.ts";
import { type Program, startLogin } from "./program.ts";

/** The program while it waits for the callback, which the issuer has given and nobody has followed yet. */
export interface WaitingLogin extends AsyncDisposable {
  readonly issuer: TestIssuer;
  readonly home: TestHome;
  readonly program: Program;
  readonly authUrl: string;
  readonly callback: string;
  readonly port: number;
}

export async function startWaitingLogin(args: readonly string[] = []): Promise<WaitingLogin> {
  const issuer = await startIssuer();
  const home = await createHome();
  const program = startLogin(home, issuer, args);
  async function end(): Promise<void> {
    await program[Symbol.asyncDispose]();
    await home[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
  }
  try {
    const authUrl = await program.authUrl();
    const callback = await obtainCallback(authUrl);
    const port = Number(new URL(callback).port);
    return { issuer, home, program, authUrl, callback, port, [Symbol.asyncDispose]: end };
  } catch (thrown) {
    await end();
    throw thrown;
  }
}
