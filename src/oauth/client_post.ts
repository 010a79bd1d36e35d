import type { Fetch } from "../world.ts";

/** Where a request about tokens goes, and what it says of the program that asks. */
export interface ClientRequest {
  /** The whole address of the endpoint. */
  readonly endpoint: string;
  readonly originator: string;
  readonly userAgent: string;
}

/** A POST with the headers of the reference, in its order. Redirects are not followed: the body holds a token. */
export function postAsClient(
  fetch: Fetch,
  { endpoint, originator, userAgent }: ClientRequest,
  body: string,
  type: string,
  limits: { readonly limitMs?: number; readonly signal?: AbortSignal },
): Promise<Response> {
  return fetch(endpoint, {
    method: "POST",
    headers: { "content-type": type, originator, "user-agent": userAgent, accept: "*/*" },
    body,
    redirect: "manual",
    ...limits,
  });
}
