import { createServer } from "node:http";

/** A site of somebody else's that a person has open in the browser while a login waits. */
export interface HostileSite extends AsyncDisposable {
  /** Its pages: `/`, and those that go to `to`: `/form-get?to=…`, `/form-post`, `/refresh`, `/hop`, `/hops`. */
  readonly origin: string;
}

/** Served under a name of another site: loopback's addresses are one site to a browser, whatever their ports. */
export async function startHostileSite(): Promise<HostileSite> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://x");
    const to = searchParams.get("to") ?? "";
    if (pathname === "/hops") {
      response.writeHead(302, { location: `/hop?${searchParams}` });
      return void response.end();
    }
    if (pathname === "/hop") {
      response.writeHead(307, { location: to });
      return void response.end();
    }
    response.setHeader("content-type", "text/html");
    response.end(`<!doctype html><title>hostile</title>${bodyOf(pathname, to)}`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    origin: `http://evil.test:${port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function bodyOf(pathname: string, to: string): string {
  const { search } = new URL(to || "http://x");
  const fields = [...new URLSearchParams(search)].map(([name, value]) =>
    `<input name="${name}" value="${value}">`
  ).join("");
  const submit = "<script>document.forms[0].submit()</script>";
  switch (pathname) {
    case "/form-get":
      return `<form action="${to}">${fields}</form>${submit}`;
    case "/form-post":
      return `<form method="post" action="${to}">${fields}</form>${submit}`;
    case "/refresh":
      return `<meta http-equiv="refresh" content="0;url=${to}">`;
    default:
      return "<body></body>";
  }
}

/**
 * What a page can try from where it is, without leaving: as text, to be run in it. Gives what it could read; every try is over
 * by then.
 */
export function attackFromPage(target: string, paths: readonly string[]): string {
  return `(async () => {
    const read = [];
    const over = (one, ...events) => new Promise((resolve) => {
      for (const event of ["load", "error", ...events]) one.addEventListener(event, resolve, { once: true });
    });
    const put = (tag, members) => {
      const one = Object.assign(document.createElement(tag), members);
      const done = over(one);
      document.body.append(one);
      return done;
    };
    await Promise.all(${JSON.stringify(paths)}.map(async (path) => {
      const url = ${JSON.stringify(target)} + path;
      await Promise.all([
        put("img", { src: url }),
        put("script", { src: url }),
        put("script", { src: url, type: "module" }),
        put("link", { rel: "stylesheet", href: url }),
        put("iframe", { src: url }),
        put("iframe", { src: url, sandbox: "allow-scripts allow-forms" }),
        put("object", { data: url }),
        put("embed", { src: url }),
        new Promise((resolve) => {
          const audio = new Audio(url);
          audio.onerror = audio.onloadeddata = resolve;
          audio.load();
        }),
        new Promise((resolve) => {
          const source = new EventSource(url);
          source.onopen = source.onerror = () => resolve(source.close());
        }),
        new Promise((resolve) => {
          const socket = new WebSocket(url.replace("http:", "ws:"));
          socket.onopen = () => read.push("a socket");
          socket.onclose = resolve;
        }),
        ...["GET", "POST", "PUT"].flatMap((method) => ["no-cors", "cors"].map((mode) =>
          fetch(url, { method, mode, credentials: "include" })
            .then((reply) => reply.text(), () => "").then((text) => text && read.push(text)))),
      ]);
      for (const method of ["get", "post"]) {
        const name = "sink" + Math.random();
        const frame = put("iframe", { name });
        await frame;
        const sink = document.getElementsByName(name)[0];
        const form = Object.assign(document.createElement("form"), { method, action: url, target: name });
        document.body.append(form);
        const done = over(sink);
        form.submit();
        await done;
      }
      for (const frame of document.querySelectorAll("iframe")) {
        try { frame.contentDocument?.body?.innerText && read.push(frame.contentDocument.body.innerText); } catch {}
      }
      navigator.sendBeacon(url, "x");
      for (const rel of ["prefetch", "prerender", "preload"]) {
        document.head.append(Object.assign(document.createElement("link"), { rel, as: "fetch", href: url }));
      }
      const rules = { prefetch: [{ source: "list", urls: [url] }], prerender: [{ source: "list", urls: [url] }] };
      document.head.append(Object.assign(document.createElement("script"), {
        type: "speculationrules",
        textContent: JSON.stringify(rules),
      }));
    }));
    return read;
  })()`;
}
