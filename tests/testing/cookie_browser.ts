import { get, location, type Reply } from "./http_client.ts";
import { request } from "node:http";

/** A browser session: it keeps cookies, follows redirects and presses the button of the one form on a page. */
export function createSession(
  fields: Record<string, string>,
): { signIn(url: string): Promise<Reply> } {
  const jars = new Map<string, Map<string, string>>();

  function jar(url: string): Map<string, string> {
    const { host } = new URL(url);
    const existing = jars.get(host) ?? new Map<string, string>();
    jars.set(host, existing);
    return existing;
  }

  function keepCookies(url: string, { headers }: Reply): void {
    for (const cookie of [headers["set-cookie"] ?? []].flat()) {
      const [pair = ""] = cookie.split(";");
      const at = pair.indexOf("=");
      if (pair.slice(at + 1) === "") jar(url).delete(pair.slice(0, at));
      else jar(url).set(pair.slice(0, at), pair.slice(at + 1));
    }
  }

  async function open(url: string, form?: URLSearchParams): Promise<Reply> {
    const cookie = [...jar(url)].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers: Record<string, string> = cookie ? { cookie } : {};
    const reply = form ? await post(url, headers, form) : await get(url, { headers });
    keepCookies(url, reply);
    return reply;
  }

  return {
    async signIn(start): Promise<Reply> {
      let url = start;
      let reply = await open(url);
      for (let steps = 0; steps < 20; steps++) {
        const next = location(reply);
        if (next) {
          url = new URL(next, url).href;
          reply = await open(url);
          continue;
        }
        const action = /<form[^>]*action="([^"]+)"/.exec(reply.body)?.[1];
        if (!action || reply.status !== 200) return reply;
        const inputs = [
          ...reply.body.matchAll(/<input[^>]*name="([^"]+)"(?:[^>]*value="([^"]*)")?/g),
        ];
        const form = new URLSearchParams(
          inputs.map(([, name = "", value = ""]) => [name, fields[name] ?? value]),
        );
        url = new URL(action.replaceAll("&amp;", "&"), url).href;
        reply = await open(url, form);
      }
      return reply;
    },
  };
}

function post(url: string, headers: Record<string, string>, form: URLSearchParams): Promise<Reply> {
  const body = form.toString();
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      method: "POST",
      agent: false,
      headers: {
        ...headers,
        "content-type": "application/x-www-form-urlencoded",
        "content-length": body.length,
      },
    }, (incoming) => {
      let text = "";
      incoming.on("data", (chunk) => text += chunk);
      incoming.on(
        "end",
        () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text }),
      );
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
