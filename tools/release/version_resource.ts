import { fileOffset, type Pe, peChecksum, readPe } from "./pe.ts";

/** What Windows shows of a file among its properties, by its own names: `ProductName`, `FileVersion`, …. */
export type VersionStrings = Readonly<Record<string, string>>;

interface Resource {
  /** Its kind, its name and its language. */
  readonly path: readonly number[];
  /** Where its address and its length stand. */
  readonly entryAt: number;
  readonly offset: number;
  readonly size: number;
}

const ICON = 3;
const ICON_GROUP = 14;
const VERSION = 16;
const MANIFEST = 24;
const SIGNATURE = 0xfeef04bd;
/** American English, in Unicode. */
const LANGUAGE = "040904b0";
const FIXED_AT = 40;

/**
 * Names a Windows executable after what it is: Bun can do that on Windows only. The runtime's own version is replaced where it
 * lies, so nothing moves; its icon, which is not ours to show, is taken out. The checksum is made right again.
 */
export function nameExecutable(original: Buffer, version: string, strings: VersionStrings): Buffer {
  const bytes = Buffer.from(original);
  const pe = readPe(bytes);
  const resources = readResources(bytes, pe);
  const place = resources.find(({ path }) => path[0] === VERSION);
  if (!place) throw new Error("there is no version to replace");
  const written = writeVersion(version, strings);
  if (written.length > place.size) {
    throw new Error(`the version takes ${written.length} bytes, and there are ${place.size}`);
  }
  bytes.fill(0, place.offset, place.offset + place.size);
  bytes.set(written, place.offset);
  bytes.writeUInt32LE(written.length, place.entryAt + 4);
  for (const { path, offset, size } of resources) {
    if (path[0] === ICON || path[0] === ICON_GROUP) bytes.fill(0, offset, offset + size);
  }
  keepKinds(bytes, fileOffset(pe, bytes.readUInt32LE(pe.resourcesAt)), [VERSION, MANIFEST]);
  bytes.writeUInt32LE(peChecksum(bytes, pe.checksumAt), pe.checksumAt);
  return bytes;
}

/** What the file tells of itself, the number for programs (`fixed`) included. */
export function readVersion(bytes: Buffer, pe: Pe = readPe(bytes)): VersionStrings {
  const place = readResources(bytes, pe).find(({ path }) => path[0] === VERSION);
  if (!place) throw new Error("there is no version");
  const block = bytes.subarray(place.offset, place.offset + place.size);
  if (block.length < FIXED_AT + 52 || block.readUInt32LE(FIXED_AT) !== SIGNATURE) {
    throw new Error("the version does not begin like one");
  }
  const [high, low] = [block.readUInt32LE(FIXED_AT + 8), block.readUInt32LE(FIXED_AT + 12)];
  const fixed = [high >>> 16, high & 0xffff, low >>> 16, low & 0xffff].join(".");
  const strings: Record<string, string> = {};
  const read = (from: number, to: number, depth: number): void => {
    for (let at = from; at + 6 <= to;) {
      const [length = 0, valueLength = 0] = [block.readUInt16LE(at), block.readUInt16LE(at + 2)];
      if (length < 6 || at + length > to) throw new Error("the version is cut off");
      const [name = ""] = block.toString("utf16le", at + 6, at + length).split("\0");
      const body = align(at + 6 + 2 * (name.length + 1));
      if (depth === 2) {
        strings[name] = block.toString("utf16le", body, body + 2 * Math.max(0, valueLength - 1));
      } else if (depth === 1 || name === "StringFileInfo") read(body, at + length, depth + 1);
      at = align(at + length);
    }
  };
  read(FIXED_AT + 52, block.readUInt16LE(0), 0);
  return { ...strings, fixed };
}

/** The kinds of resources that the file has. */
export function resourceKinds(bytes: Buffer, pe: Pe = readPe(bytes)): number[] {
  return readResources(bytes, pe).map(({ path }) => path[0] ?? 0);
}

function readResources(bytes: Buffer, pe: Pe): Resource[] {
  const start = fileOffset(pe, bytes.readUInt32LE(pe.resourcesAt));
  const walk = (at: number, path: readonly number[]): Resource[] => {
    if (path.length > 3) throw new Error("the resources go too deep");
    const count = bytes.readUInt16LE(at + 12) + bytes.readUInt16LE(at + 14);
    return Array.from({ length: count }, (_, index): Resource[] => {
      const entry = at + 16 + 8 * index;
      const [id, target] = [bytes.readUInt32LE(entry), bytes.readUInt32LE(entry + 4)];
      const next = start + (target & 0x7fffffff);
      if (target & 0x80000000) return walk(next, [...path, id]);
      const [address, size] = [bytes.readUInt32LE(next), bytes.readUInt32LE(next + 4)];
      return [{ path: [...path, id], entryAt: next, offset: fileOffset(pe, address), size }];
    }).flat();
  };
  return walk(start, []);
}

/** Leaves the others out of the list of kinds, which is all that is looked at. */
function keepKinds(bytes: Buffer, start: number, kinds: readonly number[]): void {
  const named = bytes.readUInt16LE(start + 12);
  const count = named + bytes.readUInt16LE(start + 14);
  const all = Array.from(
    { length: count },
    (_, index) => Buffer.from(bytes.subarray(start + 16 + 8 * index, start + 24 + 8 * index)),
  );
  const kept = all.filter((entry) => kinds.includes(entry.readUInt32LE(0)));
  bytes.fill(0, start + 16, start + 16 + 8 * count);
  bytes.set(Buffer.concat(kept), start + 16);
  bytes.writeUInt16LE(0, start + 12);
  bytes.writeUInt16LE(kept.length, start + 14);
}

/** @see https://learn.microsoft.com/windows/win32/menurc/vs-versioninfo */
function writeVersion(version: string, strings: VersionStrings): Buffer {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.+-]/).map(Number);
  const fixed = Buffer.alloc(52);
  [SIGNATURE, 0x10000, (major << 16) | minor, patch << 16, (major << 16) | minor, patch << 16]
    .forEach((value, index) => fixed.writeUInt32LE(value >>> 0, 4 * index));
  // Which flags are meant; Windows NT; a program.
  [0x3f, 0, 0x40004, 1].forEach((value, index) => fixed.writeUInt32LE(value, 24 + 4 * index));
  const texts = Object.entries(strings).map(([name, text]) => {
    const value = Buffer.from(`${text}\0`, "utf16le");
    return block(name, value, value.length / 2, 1);
  });
  const translation = Buffer.from([0x09, 0x04, 0xb0, 0x04]);
  return block(
    "VS_VERSION_INFO",
    join([
      fixed,
      block("StringFileInfo", block(LANGUAGE, join(texts), 0, 1), 0, 1),
      block("VarFileInfo", block("Translation", translation, 4, 0), 0, 1),
    ]),
    fixed.length,
    0,
  );
}

/** Its length, the length of its value, whether that is text, its name, and what is in it. */
function block(name: string, content: Buffer, valueLength: number, type: 0 | 1): Buffer {
  const head = Buffer.alloc(6);
  const bytes = join([Buffer.concat([head, Buffer.from(`${name}\0`, "utf16le")]), content]);
  bytes.writeUInt16LE(bytes.length, 0);
  bytes.writeUInt16LE(valueLength, 2);
  bytes.writeUInt16LE(type, 4);
  return bytes;
}

/** Each begins at a multiple of four. */
function join(parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts.flatMap((part, index) => {
    const isLast = index === parts.length - 1;
    return [part, Buffer.alloc(isLast ? 0 : align(part.length) - part.length)];
  }));
}

function align(value: number): number {
  return (value + 3) & ~3;
}
