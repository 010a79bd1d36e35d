import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { buildAuthorizationUrl } from "../src/oauth/authorization.ts";
import { renderQr } from "../src/qr.ts";
import { createAttempt } from "./testing/attempt.ts";

const jsQr: typeof import("jsqr").default = createRequire(import.meta.url)("jsqr");
/** Pixels a module has on the picture. */
const SCALE = 3;
const ESCAPE = "\x1b";

/** Reads the characters as a camera would see them: on a terminal of this colour, or in the colours that they bring. */
function scan(drawn: string, isLightTerminal: boolean): string | undefined {
  const isColored = drawn.includes(ESCAPE);
  const lines = drawn.split("\n").map((line) =>
    line.replaceAll(`${ESCAPE}[30;107m`, "").replaceAll(`${ESCAPE}[0m`, "")
  );
  const width = Math.max(...lines.map((line) => [...line].length));
  // Ink is what a block is drawn in: black where we say so, otherwise the terminal's own colour.
  const [ink, paper] = isColored || isLightTerminal ? [0, 255] : [255, 0];
  const rows = lines.flatMap((line) => {
    const characters = [...line.padEnd(width)];
    return [
      characters.map((one) => "█▀".includes(one) ? ink : paper),
      characters.map((one) => "█▄".includes(one) ? ink : paper),
    ];
  });
  const [w, h] = [width * SCALE, rows.length * SCALE];
  const pixels = new Uint8ClampedArray(w * h * 4).fill(255);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const shade = rows[Math.floor(y / SCALE)]?.[Math.floor(x / SCALE)] ?? 255;
      pixels.fill(shade, (y * w + x) * 4, (y * w + x) * 4 + 3);
    }
  }
  return jsQr(pixels, w, h)?.data;
}

test("a QR code is read back by a decoder of others, on dark and on light terminals", async () => {
  const attempt = await createAttempt();
  const authUrl = buildAuthorizationUrl(attempt, {
    originator: "codex_cli_rs",
    allowedWorkspaceIds: ["d9a2f0e4-6c1f-4c55-9c36-0d5c8b5a1f00"],
  });
  for (const text of ["https://auth.openai.com/codex/device", authUrl]) {
    for (const color of [true, false]) {
      for (const isLightTerminal of [true, false]) {
        const drawn = renderQr(text, { color }, 120);
        assert.equal(scan(drawn, isLightTerminal), text, `${color} ${isLightTerminal}`);
        assert.equal(drawn.includes(ESCAPE), color);
      }
    }
  }
});

test("the browser's address fits 80 columns, and is read there too", async () => {
  const options = { originator: "codex_cli_rs", allowedWorkspaceIds: [] };
  const attempt = await createAttempt();
  const authUrl = buildAuthorizationUrl(attempt, options);
  const drawn = renderQr(authUrl, { color: true }, 80);
  assert.ok(drawn.includes("█"), drawn);
  assert.equal(scan(drawn, false), authUrl);
});

test("a device code's address fits 40 columns; what does not fit is said and not drawn", () => {
  const drawn = renderQr("https://auth.openai.com/codex/device", { color: false }, 40);
  assert.ok(drawn.split("\n").every((line) => [...line].length <= 40));
  assert.equal(scan(drawn, false), "https://auth.openai.com/codex/device");
  const long = "https://x.test/".padEnd(600, "a");
  assert.match(renderQr(long, { color: false }, 40), /needs \d+ columns, and this terminal has 40/);
  assert.ok(renderQr(long, { color: false }, undefined).includes("█"));
  assert.match(renderQr("x".repeat(5_000), { color: false }, 500), /too long/);
});
