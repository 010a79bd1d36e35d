/** A secret shorter than this is no secret, and cutting it out would cut up ordinary words. */
const MIN_LENGTH = 8;
/** Of one that is twice as long a part is too much as well: so many of its characters in a row. */
const PART_LENGTH = 16;
const CUT = "[redacted]";

/**
 * Cuts every known secret out of a text, in large and small letters alike: as it is, and as addresses, forms, JSON, base64 and
 * hex have it; of a long one also its parts. When one is still in it after all escapes are undone, nothing of the text is left.
 */
export function withoutSecrets(text: string, secrets: Iterable<string>): string {
  let clean = text;
  // The longest first: one that is a part of another would leave the rest of it.
  const known = [...secrets].filter(({ length }) => length >= MIN_LENGTH)
    .sort((a, b) => b.length - a.length);
  if (known.length === 0) return text;
  for (const secret of known) {
    for (const form of new Set(formsOf(secret))) clean = cutOut(clean, form);
  }
  // What two of them have in common is cut out of neither before both are gone as they are.
  for (const secret of known) clean = cutParts(clean, secret);
  const plain = unescaped(clean);
  if (plain === clean) return clean;
  const isLeft = known.some((secret) => cutParts(cutOut(plain, secret), secret) !== plain);
  return isLeft ? CUT : clean;
}

/** What somebody put into the query of an address: the whole, and each value, as written and as meant. */
export function querySecrets(address: string): string[] {
  const query = address.slice(address.indexOf("?") + 1);
  if (query === address) return [];
  return [
    query,
    ...query.split("&").map((pair) => pair.replace(/^[^=]*=/, "")),
    ...new Set(
      new URLSearchParams(query).values(),
    ),
  ];
}

function formsOf(secret: string): string[] {
  const asForm = new URLSearchParams([["", secret]]).toString().slice(1);
  // A lone half of a character cannot be encoded; such a secret never was one of ours.
  const asAddress = secret.isWellFormed() ? [encodeURIComponent(secret)] : [];
  return [
    secret,
    asForm,
    JSON.stringify(secret).slice(1, -1),
    ...asAddress,
    ...base64Forms(secret),
    Buffer.from(secret).toString("hex"),
  ];
}

/** Wherever it begins within something longer, without the characters that its neighbours have a share in. */
function base64Forms(secret: string): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]);
    const end = Math.floor(bytes.length / 3) * 4;
    return (["base64", "base64url"] as const).map((alphabet) =>
      bytes.toString(alphabet).slice(offset === 0 ? 0 : 4, end)
    );
  });
}

function cutOut(text: string, form: string): string {
  const [where, what] = [fold(text), fold(form)];
  let clean = "";
  let from = 0;
  for (let at = where.indexOf(what); at >= 0; at = where.indexOf(what, from)) {
    clean += text.slice(from, at) + CUT;
    from = at + what.length;
  }
  return clean + text.slice(from);
}

function cutParts(text: string, secret: string): string {
  if (secret.length < 2 * PART_LENGTH) return text;
  const [where, what] = [fold(text), fold(secret)];
  const isPart = (at: number): boolean => what.includes(where.slice(at, at + PART_LENGTH));
  let clean = "";
  let from = 0;
  for (let at = 0; at + PART_LENGTH <= where.length; at++) {
    if (!isPart(at)) continue;
    clean += text.slice(from, at) + CUT;
    while (at + PART_LENGTH < where.length && isPart(at + 1)) at++;
    from = at + PART_LENGTH;
    at = from - 1;
  }
  return clean + text.slice(from);
}

/** Small letters only, each at the place where it was. */
function fold(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** How often something may be escaped within something escaped. */
const LAYERS = 3;

/** With the escapes of addresses, forms, JSON and pages undone, whoever wrote them. */
function unescaped(text: string): string {
  let plain = text;
  for (let i = 0; i < LAYERS && /[%\\&]/.test(plain); i++) {
    plain = plain
      .replace(
        /(?:%[0-9a-f]{2})+/gi,
        (bytes) => Buffer.from(bytes.replaceAll("%", ""), "hex").toString(),
      )
      .replace(/\\u([0-9a-f]{4})/gi, (_, unit) => String.fromCharCode(parseInt(unit, 16)))
      .replace(/\\x([0-9a-f]{2})/gi, (_, unit) => String.fromCharCode(parseInt(unit, 16)))
      .replace(/\\(["'\\/])/g, "$1")
      .replace(/&#x([0-9a-f]{1,5});/gi, (_, point) => fromPoint(parseInt(point, 16)))
      .replace(/&#(\d{1,6});/g, (_, point) => fromPoint(Number(point)))
      .replace(/&(amp|lt|gt|quot|apos);/gi, (_, name) => ENTITIES[name.toLowerCase()] ?? "");
  }
  return plain;
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

function fromPoint(point: number): string {
  return point <= 0x10ffff ? String.fromCodePoint(point) : "";
}
