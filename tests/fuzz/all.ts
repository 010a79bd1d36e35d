import { BROWSER_REQUESTS } from "./browser_requests.ts";
import { CONVERSATIONS } from "./conversations.ts";
import type { FuzzProperty } from "./fuzz_property.ts";
import { HTTP_ANSWERS } from "./http_answers.ts";
import { ISSUER_ANSWERS } from "./issuer_answers.ts";
import { ISSUER_FLOWS } from "./issuer_flows.ts";
import { LISTENER_BYTES, stopFuzzServer } from "./listener_bytes.ts";
import { LOCAL_WORDS } from "./local_words.ts";
import { LONG_ROWS } from "./long_rows.ts";
import { PEER_BYTES } from "./peer_bytes.ts";
import { PROGRAM_INPUT } from "./program_input.ts";
import { removeFuzzFolder, STORED_FILES } from "./stored_files.ts";
import { WORDS } from "./words.ts";

/** All that the program reads from outside. */
export const PROPERTIES: readonly FuzzProperty[] = [
  ...BROWSER_REQUESTS,
  ...ISSUER_ANSWERS,
  ...HTTP_ANSWERS,
  ...STORED_FILES,
  ...PROGRAM_INPUT,
  ...ISSUER_FLOWS,
  ...LOCAL_WORDS,
  ...PEER_BYTES,
  ...LISTENER_BYTES,
  ...CONVERSATIONS,
  ...WORDS,
  ...LONG_ROWS,
];

/** To be called when all is over: gives back what the properties share. */
export async function endFuzz(): Promise<void> {
  await stopFuzzServer();
  await removeFuzzFolder();
}
