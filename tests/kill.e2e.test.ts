import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { sleep } from "../src/system_world.ts";
import { obtainCallback } from "./testing/fake_browser.ts";
import { createHome } from "./testing/home.ts";
import { get } from "./testing/http_client.ts";
import { startIssuer } from "./testing/issuer.ts";
import { runProgram, startLogin, SUBJECT } from "./testing/program.ts";
import { assertReferenceReads } from "./testing/reference_rules.ts";
import { verifies } from "./testing/verifies.ts";

const MOMENTS = 20;

verifies(
  "S46",
  `${SUBJECT}: kill -9 at twenty random moments of a login leaves the old login or the new one, whole`,
  { timeout: 180_000 },
  async () => {
    await using issuer = await startIssuer();
    await using home = await createHome();
    const old = JSON.stringify(
      { auth_mode: "apikey", OPENAI_API_KEY: "sk-old-key-0123456789" },
      null,
      2,
    );
    const outcomes = { old: 0, new: 0 };
    for (let i = 0; i < MOMENTS; i++) {
      await home.writeAuth(old);
      await using program = startLogin(home, issuer);
      const callback = await obtainCallback(await program.authUrl());
      const reply = i === 0 ? undefined : get(callback).catch(() => {});
      // The first before anything happened, the last after the save, the others anywhere between: most of it is the save.
      if (i === MOMENTS - 1) await program.shows(/Saved in/);
      else if (i > 0) await sleep(Math.random() * 80);
      program.kill("SIGKILL");
      await program.ended;
      await reply;
      const text = await home.readAuth();
      const file = assertReferenceReads(text);
      if (file["auth_mode"] === "apikey") assert.equal(text, old);
      else {
        const tokens = file["tokens"] as Record<string, string>;
        assert.ok(issuer.liveRefreshTokens.has(tokens["refresh_token"] ?? ""));
      }
      outcomes[file["auth_mode"] === "apikey" ? "old" : "new"]++;
      assert.equal(await home.mode("auth.json"), "600");
    }
    assert.ok(outcomes.old > 0 && outcomes.new > 0, JSON.stringify(outcomes));

    // Whatever the killed ones left is in nobody's way, and the next login clears it.
    await using program = startLogin(home, issuer);
    await get(await obtainCallback(await program.authUrl()));
    assert.equal((await program.ended).exitCode, 0);
    assert.ok(!(await readdir(home.path)).some((name) => name.endsWith(".tmp")));
    assert.equal((await runProgram(home, ["status"])).exitCode, 0);
  },
);
