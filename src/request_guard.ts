/** Bounds of a request's target and of its header block, in characters. */
const MAX_TARGET_LENGTH = 8_192;
const MAX_HEADERS_LENGTH = 8_192;

/** Why a request is not answered, before anything in it is looked at. */
export interface Refusal {
  readonly status: 400 | 403 | 404 | 405 | 413 | 414 | 421 | 431;
  readonly headers?: Record<string, string>;
}

/**
 * Turns away everything that a browser following the issuer's redirect would not send. A request without browser
 * headers passes: it may come from a person's own program, and nothing here is granted for passing.
 *
 * @param isOurs whether a path exists.
 */
export function refuseRequest(
  request: Request,
  port: number,
  isOurs: (path: string) => boolean,
): Refusal | undefined {
  const { headers, method, url } = request;
  if (url.length > MAX_TARGET_LENGTH) return { status: 414 };
  let headersLength = 0;
  for (const [name, value] of headers) {
    // Repeated headers come as one, with commas: each part may have been a line of its own.
    headersLength += value.length + value.split(", ").length * (name.length + 4);
  }
  if (headersLength > MAX_HEADERS_LENGTH) return { status: 431 };

  if (!isLoopbackHost(headers.get("host"), url, port)) return { status: 421 };
  if (!isDecodable(url)) return { status: 400 };
  if (!isOurs(new URL(url).pathname)) return { status: 404 };
  if (method !== "GET") return { status: 405, headers: { allow: "GET" } };
  const length = headers.get("content-length");
  if ((length !== null && length !== "0") || headers.has("transfer-encoding")) {
    return { status: 413 };
  }
  return isNavigation(headers) ? undefined : { status: 403 };
}

/**
 * Exactly one Host header that names this listener, so that no other name made to resolve to us (DNS rebinding) is
 * served. Several are seen here as one with a comma. A target in absolute form has to agree.
 */
function isLoopbackHost(host: string | null, url: string, port: number): boolean {
  // Clients leave out the port that the scheme implies.
  const suffix = port === 80 ? "" : `:${port}`;
  const names = [`127.0.0.1${suffix}`, `localhost${suffix}`, `[::1]${suffix}`];
  if (host === null || !names.includes(host.toLowerCase())) return false;
  if (!URL.canParse(url)) return false;
  const target = new URL(url);
  return target.host === host.toLowerCase() && target.username + target.password === "";
}

/** Whether each escape stands for a character: a reader of addresses would guess at the others, each in its own way. */
function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
}

/**
 * A page's own navigation, when the browser says what it is doing. The right callback does come from another site,
 * so `Sec-Fetch-Site` says nothing; images, scripts, frames, fetches, forms with a body and prefetches are refused.
 * @see https://www.w3.org/TR/fetch-metadata/
 */
function isNavigation(headers: Headers): boolean {
  if (headers.has("origin")) return false;
  const mode = headers.get("sec-fetch-mode");
  const destination = headers.get("sec-fetch-dest");
  if (mode !== null && mode !== "navigate") return false;
  if (destination !== null && destination !== "document") return false;
  return !["sec-purpose", "purpose", "x-purpose", "x-moz"].some((name) =>
    /pre(fetch|render|view)/i.test(headers.get(name) ?? "")
  );
}
