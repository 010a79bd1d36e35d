/**
 * The pictures of the README: the last page of a sign-in, light and dark, in Chromium, and a terminal that was recorded
 * with the real program. tests/pictures.e2e.test.ts says when they are to be made again.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { launchChromium, openContext } from "../tests/testing/chromium.ts";
import { renderPicturedPage } from "./pictured_page.ts";
import { recordTerminal } from "./terminal_recording.ts";
import { renderTerminalPicture } from "./terminal_picture.ts";

const FOLDER = fileURLToPath(new URL("../assets/pictures/", import.meta.url));

await mkdir(FOLDER, { recursive: true });
const { html, digest } = await renderPicturedPage();
await using browser = await launchChromium();
for (const colorScheme of ["light", "dark"] as const) {
  const { context, page } = await openContext(browser, {
    colorScheme,
    viewport: { width: 560, height: 380 },
    deviceScaleFactor: 2,
  });
  await page.setContent(html);
  await page.screenshot({ path: join(FOLDER, `success-${colorScheme}.png`) });
  await context.close();
}
await writeFile(
  join(FOLDER, "success.json"),
  `${JSON.stringify({ page: "assets/success.html", sha256: digest }, null, 2)}\n`,
);

const picture = renderTerminalPicture(await recordTerminal(), {
  title: "A sign-in with codex-login in a terminal",
  description:
    "codex-login shows an address and waits; the browser comes back, and it says who signed in and where the login is kept. " +
    "Then codex-login status says the same, codex-login token gives a program a valid access token, and codex-login doctor " +
    "checks what a sign-in needs.",
});
await writeFile(join(FOLDER, "terminal.svg"), picture);
