import { BROWSER_REQUESTS } from "./browser_requests.ts";
import type { FuzzProperty } from "./fuzz_property.ts";
import { HTTP_ANSWERS } from "./http_answers.ts";
import { ISSUER_ANSWERS } from "./issuer_answers.ts";
import { ISSUER_FLOWS } from "./issuer_flows.ts";
import { LOCAL_WORDS } from "./local_words.ts";
import { LONG_ROWS } from "./long_rows.ts";
import { PROGRAM_INPUT } from "./program_input.ts";
import { STORED_FILES } from "./stored_files.ts";

/** All that the program reads from outside. */
export const PROPERTIES: readonly FuzzProperty[] = [
  ...BROWSER_REQUESTS,
  ...ISSUER_ANSWERS,
  ...HTTP_ANSWERS,
  ...STORED_FILES,
  ...PROGRAM_INPUT,
  ...ISSUER_FLOWS,
  ...LOCAL_WORDS,
  ...LONG_ROWS,
];
