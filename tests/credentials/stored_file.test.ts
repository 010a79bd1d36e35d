import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { readCredentials } from "../../src/credentials/stored_file.ts";
import { createHome } from "../testing/home.ts";
import { verifies } from "../testing/verifies.ts";

const WHOLE = '{"OPENAI_API_KEY":"sk-0123456789"}';
const UNFINISHED = `\0${WHOLE.slice(1)}`;

verifies(
  ["S46", "S53"],
  "a file that is being written in place is read when it is whole",
  async () => {
    await using home = await createHome();
    await home.writeAuth(UNFINISHED);
    let pauses = 0;
    const stored = await readCredentials(home.authPath, async () => {
      if (++pauses === 3) await home.writeAuth(WHOLE);
    });
    assert.equal(pauses, 3);
    assert.equal(stored?.apiKey, "sk-0123456789");
  },
);

verifies(
  ["S46", "S51"],
  "what stays unfinished is damage, and what is damaged is told at once",
  async () => {
    await using home = await createHome();
    for (
      const [text, expected] of [
        [UNFINISHED, 100],
        ["\0".repeat(100), 0],
        [WHOLE.slice(0, -1), 0],
      ] as const
    ) {
      await home.writeAuth(text);
      let pauses = 0;
      const reading = readCredentials(home.authPath, () => Promise.resolve(pauses++));
      await assert.rejects(reading, { code: "CREDENTIALS_CORRUPT" });
      assert.equal(pauses, expected);
      // The copy beside it is whole.
      await writeFile(`${home.authPath}.pending`, WHOLE, { mode: 0o600 });
      assert.equal((await readCredentials(home.authPath))?.apiKey, "sk-0123456789");
      await writeFile(`${home.authPath}.pending`, "");
    }
  },
);
