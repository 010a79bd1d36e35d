/** What the language of manual pages needs; see mdoc(7). Text is always on lines of its own, where no word is a macro. */

const WIDTH = 78;

/** Words for readers: no backslash, no line that begins like a request, each sentence on lines of its own. */
export function text(words: string): string[] {
  return words.split(/(?<=[.!?:;])\s+(?=[A-Z])/).flatMap((sentence) => wrap(escape(sentence)));
}

/** One macro line. Each argument is one word to it, whatever it holds. */
export function macro(name: string, ...args: readonly string[]): string {
  return [`.${name}`, ...args.map(argument)].join(" ");
}

/** Lines as they are typed, indented. */
export function literal(lines: readonly string[]): string[] {
  return [
    ".Bd -literal -offset indent",
    // A dash that is typed is no hyphen.
    ...lines.map((line) => guard(escape(line).replaceAll("-", "\\-"))),
    ".Ed",
  ];
}

/** Of these rows, each with what it is about. */
export function list(
  rows: ReadonlyArray<readonly [head: string, body: readonly string[]]>,
  spacing: "wide" | "compact" = "wide",
): string[] {
  const begin = `.Bl -tag -width Ds${spacing === "compact" ? " -compact" : ""}`;
  return [begin, ...rows.flatMap(([head, body]) => [head, ...body]), ".El"];
}

function wrap(sentence: string): string[] {
  const lines: string[] = [];
  for (const word of sentence.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= WIDTH) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines.map(guard);
}

function guard(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}

function escape(words: string): string {
  return words.replaceAll("\\", "\\e").replaceAll("…", "...").replaceAll("`", "");
}

/** Two or three letters may be a macro, and signs alone are set apart. */
function argument(word: string): string {
  const escaped = escape(word).replaceAll('"', '""');
  const isAmbiguous = /^[A-Z][a-zA-Z0-9]{1,2}$|^[[\](){}.,;:?!|]$/.test(word);
  const safe = isAmbiguous ? `\\&${escaped}` : escaped;
  return /\s/.test(safe) || safe === "" ? `"${safe}"` : safe;
}
