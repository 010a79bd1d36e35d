/** Where in the file its resources begin, and in memory. */
export const RESOURCES_AT = 0x400;
const RESOURCES_ADDRESS = 0x1000;

/** A Windows executable with an icon, a version's place of 700 bytes, a manifest, and a section for the program. */
export function smallPe(machine = 0x8664, room = 700): Buffer {
  const file = Buffer.alloc(0x1000);
  file.write("MZ");
  file.writeUInt32LE(0x80, 60);
  file.writeUInt32LE(0x4550, 0x80);
  [machine, 2].forEach((value, index) => file.writeUInt16LE(value, 0x84 + 2 * index));
  // The length of the second header, and what kind of file it is.
  [240, 0x22].forEach((value, index) => file.writeUInt16LE(value, 0x94 + 2 * index));
  file.writeUInt16LE(0x20b, 0x98);
  file.writeUInt16LE(3, 0x98 + 68);
  file.writeUInt32LE(RESOURCES_ADDRESS, 0x98 + 112 + 16);
  const sections = [[".rsrc", 0x800, RESOURCES_ADDRESS, RESOURCES_AT], [
    ".bun",
    0x200,
    0x2000,
    0xc00,
  ]] as const;
  sections.forEach(([name, size, address, offset], index) => {
    const at = 0x188 + 40 * index;
    file.write(name, at);
    [size, address, size, offset].forEach((value, field) =>
      file.writeUInt32LE(value, at + 8 + 4 * field)
    );
  });
  // Each kind has one name and one language, and so three levels with one entry each, but for the first.
  const kinds = [[3, 100], [14, 20], [16, room], [24, 50]] as const;
  const resources = file.subarray(RESOURCES_AT, RESOURCES_AT + 0x800);
  resources.writeUInt16LE(kinds.length, 14);
  let data = 0x300;
  kinds.forEach(([kind, size], index) => {
    const [name, language, entry] = [0x60, 0x78, 0x90].map((at) => at + 0x50 * index) as [
      number,
      number,
      number,
    ];
    put(resources, 16 + 8 * index, kind, 0x80000000 + name);
    resources.writeUInt16LE(1, name + 14);
    put(resources, name + 16, 1, 0x80000000 + language);
    resources.writeUInt16LE(1, language + 14);
    put(resources, language + 16, 1033, entry);
    put(resources, entry, RESOURCES_ADDRESS + data, size);
    resources.fill(kind, data, data + size);
    data += (size + 7) & ~7;
  });
  return file;
}

function put(bytes: Buffer, at: number, one: number, two: number): void {
  bytes.writeUInt32LE(one, at);
  bytes.writeUInt32LE(two, at + 4);
}
