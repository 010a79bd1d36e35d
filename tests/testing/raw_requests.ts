import fc from "fast-check";

const SEED = 20_260_721;

/**
 * Requests that are nearly right, and broken in ways that parsers disagree about; always the same ones for a count.
 *
 * @returns each as latin1 text, one character a byte.
 */
export function malformedRequests(port: number, count: number): string[] {
  const host = `Host: 127.0.0.1:${port}`;
  const bytes = fc.uint8Array({ maxLength: 60 }).map((raw) => Buffer.from(raw).toString("latin1"));
  const target = fc.oneof(
    fc.constantFrom(
      "/auth/callback?code=c&state=s",
      "/success",
      "/cancel",
      "/",
      "*",
      "//",
      "/auth/../success",
      "/auth/callback#x",
      "/auth/callback?%",
      "/\0",
      `http://127.0.0.1:${port}/auth/callback`,
      "http://evil.test/auth/callback",
      "http://[::1/",
      `/${"a".repeat(9_000)}`,
    ),
    bytes,
  );
  const method = fc.oneof(
    fc.constantFrom("GET", "get", "POST", "PUT", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PRI", ""),
    bytes,
  );
  const version = fc.constantFrom(
    "HTTP/1.1",
    "HTTP/1.0",
    "HTTP/0.9",
    "HTTP/2.0",
    "HTTP/1.1 x",
    "",
    "\0",
  );
  const header = fc.oneof(
    fc.constantFrom(
      host,
      host,
      "Host: evil.test",
      "Host:",
      "host : x",
      " folded",
      "Content-Length: 5",
      "Content-Length: -1",
      "Content-Length: 5, 6",
      "Content-Length: 99999999999999999999",
      "Transfer-Encoding: chunked",
      "Transfer-Encoding: identity, chunked",
      "Transfer-Encoding: \x0bchunked",
      "Connection: upgrade",
      "Upgrade: h2c",
      "Upgrade: websocket",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
      "Expect: 100-continue",
      "Origin: null",
      ": nothing",
      "no colon",
      "X: \0",
    ),
    bytes,
  );
  const end = fc.constantFrom("\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n");
  const request = fc.tuple(method, target, version, fc.array(header, { maxLength: 6 }), end, bytes)
    .map(
      ([verb, path, protocol, headers, newline, body]) =>
        [`${verb} ${path} ${protocol}`, ...headers, "", body].join(newline),
    );
  const whole = fc.oneof(
    { weight: 6, arbitrary: request },
    { weight: 1, arbitrary: fc.tuple(request, request).map(([one, two]) => one + two) },
    {
      weight: 1,
      arbitrary: fc.tuple(request, fc.nat()).map(([text, at]) => text.slice(0, at % 80)),
    },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ maxLength: 400 }).map((raw) =>
        Buffer.from(raw).toString("latin1")
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "\r\n\r\n\r\n",
        "\0".repeat(2_000),
      ),
    },
  );
  // Found by fuzzing: together they make an address that nobody can parse.
  const twoHosts = `GET /success?code=c&state=s HTTP/1.1\r\nHost:s HTTP/1.1\r\n${host}\r\n\r\n`;
  return [twoHosts, ...fc.sample(whole, { numRuns: count - 1, seed: SEED })];
}

/** Cuts bytes at random places, always at the same ones for a count: each request in the pieces that it is sent in. */
export function cutRequests(port: number, count: number): string[][] {
  const requests = malformedRequests(port, count);
  const place = fc.integer({ min: 0, max: 999 });
  const places = fc.sample(fc.array(place, { minLength: 2, maxLength: 8 }), {
    numRuns: count,
    seed: SEED,
  });
  return requests.map((text, i) => {
    const cuts = (places[i] ?? []).map((part) => Math.floor((part * text.length) / 1_000));
    const ends = [0, ...cuts.sort((a, b) => a - b), text.length];
    return ends.slice(1).map((end, at) => text.slice(ends[at], end)).filter((piece) =>
      piece !== ""
    );
  });
}
