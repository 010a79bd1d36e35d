/** Variables that are obeyed, for the manual page. A test holds them against the sources. */
export const ENVIRONMENT: ReadonlyArray<readonly [name: string, words: string]> = [
  ["CODEX_HOME", "The folder with credentials and settings, instead of ~/.codex."],
  [
    "CODEX_ACCESS_TOKEN",
    "A personal access token that wins over the stored login for status and token, which say so.",
  ],
  ["HTTPS_PROXY", "The http:// proxy for everything but loopback, also in lower case."],
  ["ALL_PROXY", "The same where HTTPS_PROXY says nothing."],
  ["NO_PROXY", "What is reached without the proxy: *, names, addresses and networks."],
  ["CODEX_CA_CERTIFICATE", "A file of certificates that are trusted too."],
  ["SSL_CERT_FILE", "The same where CODEX_CA_CERTIFICATE says nothing."],
  ["NODE_EXTRA_CA_CERTS", "A file of certificates that are trusted too, besides either."],
  ["BROWSER", "The program that opens the address; several are separated by colons."],
  ["NO_COLOR", "No colour."],
  ["FORCE_COLOR", "Colour where there is no terminal, too."],
  ["TERM", "What the terminal can do; nothing is drawn on a dumb one."],
  [
    "CODEX_REFRESH_TOKEN_URL_OVERRIDE",
    "Where refreshes and revocations go, instead of the issuer.",
  ],
  ["CODEX_REVOKE_TOKEN_URL_OVERRIDE", "Where revocations go, instead of the issuer."],
  ["CODEX_AUTHAPI_BASE_URL", "Where personal access tokens are asked about."],
  ["CODEX_INTERNAL_ORIGINATOR_OVERRIDE", "How this program names itself to the issuer."],
  ["CODEX_APP_SERVER_LOGIN_ISSUER", "For app-server and mcp-server: the issuer of new sign-ins."],
  [
    "CODEX_APP_SERVER_LOGIN_CLIENT_ID",
    "For app-server and mcp-server: the client of new sign-ins.",
  ],
  ["XDG_RUNTIME_DIR", "Where a waiting login says that it holds its port."],
];

/** Files that are read and written, for the manual page. */
export const FILES: ReadonlyArray<readonly [path: string, words: string]> = [
  ["$CODEX_HOME/auth.json", "The login, in the form of Codex CLI, mode 0600."],
  ["$CODEX_HOME/auth.json.corrupt-<time>", "A damaged file, kept aside before it was replaced."],
  ["$CODEX_HOME/auth.lock", "With auth.json.lock the locks that Codex CLI takes too; they stay."],
  ["$CODEX_HOME/auth.refresh.lock", "Who renews the login; no secret is in it."],
  ["$CODEX_HOME/profiles/", "The logins that are not in use, and the name of the one that is."],
  [
    "$CODEX_HOME/log/codex-login.log",
    "One line an event, without secrets; at most 1 MiB, and one old file.",
  ],
  [
    "$CODEX_HOME/.env",
    "Only proxies and certificates are taken from it, below the real environment.",
  ],
  ["$CODEX_HOME/config.toml", "Settings."],
  ["/etc/codex/config.toml", "Settings for all users, below those."],
  ["/etc/codex/managed_config.toml", "Settings that no others change."],
];
