/** A line of theirs that we do not say (`-`), or one of ours that they do not (`+`). */
export type Difference = `- ${string}` | `+ ${string}`;

type Message = Record<string, unknown>;

/** A message without what differs each time, and without words, which are our own. */
export function normalize(message: Message): string {
  const ids = new Map<string, string>();
  const text = JSON.stringify(message, (name, value) => {
    if (value === null || name === "") return value;
    switch (name) {
      case "loginId":
        ids.set(value, "<id>");
        return "<id>";
      case "authUrl":
        return describeUrl(value);
      case "emittedAtMs":
        return "<time>";
      case "error":
        return typeof value === "string" ? "<words>" : value;
      case "message":
      case "userAgent":
        return "<words>";
      case "data":
        return undefined;
      case "authToken":
        return String(value).startsWith("eyJ") ? "<token>" : value;
      case "codexHome":
      case "backendOrigin":
      case "userCode":
        return `<${name}>`;
      case "verificationUrl":
        return new URL(value).pathname;
      default:
        return value;
    }
  });
  return text;
}

/** Its parameters, with the values that are not random. */
function describeUrl(text: string): string {
  const { pathname, searchParams } = new URL(text);
  const shown = [...searchParams].map(([name, value]) =>
    ["state", "code_challenge"].includes(name) ? `${name}=<${value.length}>` : `${name}=${value}`
  );
  return `${pathname}?${shown.join("&")}`;
}

/** What has to be left out of theirs and put in to get ours, by the longest common subsequence. */
export function compareConversations(theirs: string[], ours: string[]): Difference[] {
  const lengths = Array.from(
    { length: theirs.length + 1 },
    () => Array<number>(ours.length + 1).fill(0),
  );
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = theirs.length - 1; i >= 0; i--) {
    for (let j = ours.length - 1; j >= 0; j--) {
      const row = lengths[i];
      if (!row) continue;
      row[j] = theirs[i] === ours[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const found: Difference[] = [];
  let [i, j] = [0, 0];
  while (i < theirs.length || j < ours.length) {
    if (i < theirs.length && j < ours.length && theirs[i] === ours[j]) [i, j] = [i + 1, j + 1];
    else if (j >= ours.length || (i < theirs.length && at(i + 1, j) >= at(i, j + 1))) {
      found.push(`- ${theirs[i++]}`);
    } else found.push(`+ ${ours[j++]}`);
  }
  return found;
}
