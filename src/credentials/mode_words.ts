import type { AuthMode } from "./auth_file.ts";

const WORDS: Readonly<Record<AuthMode, string>> = {
  apikey: "an API key",
  chatgpt: "ChatGPT",
  chatgptAuthTokens: "ChatGPT tokens that another program gave",
  headers: "headers that another program sends",
  agentIdentity: "an agent identity",
  personalAccessToken: "a personal access token",
  bedrockApiKey: "an API key of Amazon Bedrock",
  bedrockAccessKeys: "AWS access keys for Amazon Bedrock",
};

/** What somebody is signed in with, for people, to be put after "with". */
export function describeMode(mode: AuthMode): string {
  return WORDS[mode];
}
