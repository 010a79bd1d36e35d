import assert from "node:assert/strict";

/** Of a long secret a part is too much as well: this many characters of its beginning, its middle and its end. */
const PART = 20;

/** All ways in which a secret may be written: as it is, in addresses, forms, JSON, pages, base64 and hex. */
export function formsOf(secret: string): Set<string> {
  const middle = Math.floor((secret.length - PART) / 2);
  const parts = secret.length < 3 * PART
    ? [secret]
    : [secret.slice(0, PART), secret.slice(middle, middle + PART), secret.slice(-PART)];
  const json = (text: string): string => JSON.stringify(text).slice(1, -1);
  return new Set(parts.flatMap((part) => [
    part,
    encodeURIComponent(part),
    new URLSearchParams([["", part]]).toString().slice(1),
    json(part),
    json(json(part)),
    part.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`),
    part.replaceAll("&", "&amp;").replaceAll('"', "&quot;"),
    ...base64Forms(part),
    Buffer.from(part).toString("hex"),
  ]));
}

/** Wherever it begins within something longer, without the characters that its neighbours have a share in. */
function base64Forms(text: string): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)]);
    const whole = Math.floor(bytes.length / 3) * 4;
    const from = offset === 0 ? 0 : 4;
    return (["base64", "base64url"] as const).map((alphabet) =>
      bytes.toString(alphabet).slice(from, whole)
    );
  });
}

/**
 * No secret is in any of these texts, in whatever form.
 *
 * @param places by name.
 */
export function assertNoCanary(
  places: Readonly<Record<string, string>>,
  secrets: Iterable<string>,
): void {
  for (const secret of new Set(secrets)) {
    assert.ok(secret.length >= 8, `"${secret}" is too short to be looked for`);
    for (const form of formsOf(secret)) {
      for (const [place, text] of Object.entries(places)) {
        assert.ok(!text.includes(form), `${secret.slice(0, 8)}… is in ${place}:\n${text}`);
      }
    }
  }
}
