let native: Promise<typeof Response> | undefined;

/**
 * An answer as the platform itself makes them. A host's own server library may have put another class in the place of the
 * global one, which the platform's server then refuses.
 */
export async function toNativeResponse(answer: Response): Promise<Response> {
  // The global class may not be the platform's; what its fetch gives is.
  native ??= fetch("data:,").then((one) => one.constructor as typeof Response, () => Response);
  const Native = await native;
  if (Object.getPrototypeOf(answer) === Native.prototype) return answer;
  const body = answer.body === null ? null : await answer.arrayBuffer();
  return new Native(body, { status: answer.status, headers: [...answer.headers] });
}
