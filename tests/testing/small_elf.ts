export interface SmallElf {
  readonly machine?: number;
  readonly interpreter?: string;
  readonly needed?: readonly string[];
  readonly versions?: readonly string[];
}

/** An ELF executable with nothing in it but what it says of itself. */
export function smallElf({
  machine = 62,
  interpreter = "/lib64/ld-linux-x86-64.so.2",
  needed = ["libc.so.6", "ld-linux-x86-64.so.2", "libpthread.so.0", "libdl.so.2", "libm.so.6"],
  versions = ["GLIBC_2.2.5", "GLIBC_2.17", "GLIBC_2.9"],
}: SmallElf = {}): Buffer {
  const BASE = 0x200000;
  const HEADERS = 64 + 3 * 56;
  let strings = "\0";
  const place = (text: string): number => {
    const at = strings.length;
    strings += `${text}\0`;
    return at;
  };
  const loader = place(interpreter);
  const names = needed.map(place);
  const versionNames = versions.map(place);
  const stringsAt = HEADERS;
  const versionsAt = stringsAt + strings.length;
  const chain = Buffer.alloc(16 + 16 * versions.length);
  chain.writeUInt16LE(1, 0);
  chain.writeUInt16LE(versions.length, 2);
  chain.writeUInt32LE(16, 8);
  versionNames.forEach((name, index) => {
    chain.writeUInt32LE(name, 16 + 16 * index + 8);
    chain.writeUInt32LE(16, 16 + 16 * index + 12);
  });
  const entries: (readonly [number, number])[] = [
    ...names.map((name) => [1, name] as const),
    [5, BASE + stringsAt],
    ...(versions.length > 0
      ? [[0x6ffffffe, BASE + versionsAt] as const, [0x6fffffff, 1] as const]
      : []),
    [0, 0],
  ];
  const dynamic = Buffer.alloc(16 * entries.length);
  entries.forEach(([tag, value], index) => {
    dynamic.writeBigUInt64LE(BigInt(tag), 16 * index);
    dynamic.writeBigUInt64LE(BigInt(value), 16 * index + 8);
  });
  const dynamicAt = versionsAt + chain.length;
  const header = Buffer.alloc(HEADERS);
  header.write("\x7fELF", 0, "latin1");
  header.set([2, 1, 1], 4);
  [2, machine].forEach((value, index) => header.writeUInt16LE(value, 16 + 2 * index));
  header.writeBigUInt64LE(64n, 32);
  [64, 56, 3].forEach((value, index) => header.writeUInt16LE(value, 52 + 2 * index));
  [
    [1, 0, dynamicAt + dynamic.length],
    [3, stringsAt + loader, interpreter.length + 1],
    [2, dynamicAt, dynamic.length],
  ].forEach(([type = 0, offset = 0, size = 0], index) => {
    const at = 64 + 56 * index;
    header.writeUInt32LE(type, at);
    [offset, BASE + offset, BASE + offset, size, size]
      .forEach((value, field) => header.writeBigUInt64LE(BigInt(value), at + 8 + 8 * field));
  });
  return Buffer.concat([header, Buffer.from(strings, "latin1"), chain, dynamic]);
}
