/** Variables that hold a secret. */
const SECRETS = ["CODEX_ACCESS_TOKEN", "OPENAI_API_KEY"];
/** Variables that hold an address, with a password in it perhaps. */
const PROXIES = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"].flatMap((
  name,
) => [name, name.toLowerCase()]);

/** What the environment holds that no log line may: as it is there, and as it would be sent. */
export function environmentSecrets(env: Readonly<Record<string, string | undefined>>): string[] {
  const given = SECRETS.flatMap((name) => env[name] || []);
  const passwords = PROXIES.flatMap((name) => passwordsOf(env[name] ?? ""));
  return [...given, ...passwords];
}

function passwordsOf(address: string): string[] {
  const userinfo = /^(?:[a-z][\w+.-]*:\/\/)?([^/]*)@/i.exec(address)?.[1];
  if (userinfo === undefined) return [];
  const [user = "", ...rest] = userinfo.split(":");
  const password = rest.join(":");
  if (password === "") return [];
  const plain = decode(password);
  const basic = Buffer.from(`${decode(user)}:${plain}`).toString("base64");
  return [...new Set([password, plain, basic])];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
