/**
 * A Windows library that hands `ProcessPrng` on to the same function under its older name. Wine before version 9 has no
 * `bcryptprimitives.dll`, without which Bun does not start; with this one beside the program it does. It is for tests, is
 * given to nobody, and has no code of its own: headers, and one section that says where the function really is.
 */
export function randomLibrary(): Buffer {
  const ADDRESS = 0x1000;
  const FILE_AT = 0x200;
  const file = Buffer.alloc(0x400);
  file.write("MZ");
  file.writeUInt32LE(0x40, 60);
  file.writeUInt32LE(0x4550, 0x40);
  file.writeUInt16LE(0x8664, 0x44);
  file.writeUInt16LE(1, 0x46);
  file.writeUInt16LE(240, 0x54);
  // A library, executable, of 64 bits.
  file.writeUInt16LE(0x2022, 0x56);
  const optional = 0x58;
  file.writeUInt16LE(0x20b, optional);
  file.writeBigUInt64LE(0x180000000n, optional + 24);
  for (const [at, value] of [[32, 0x1000], [36, 0x200], [56, 0x2000], [60, FILE_AT], [108, 16]]) {
    file.writeUInt32LE(value ?? 0, optional + (at ?? 0));
  }
  // Of Windows 6, for the console.
  for (const [at, value] of [[40, 6], [48, 6], [68, 3]]) {
    file.writeUInt16LE(value ?? 0, optional + (at ?? 0));
  }
  const section = optional + 240;
  file.write(".edata", section);
  [0x200, ADDRESS, 0x200, FILE_AT].forEach((value, index) =>
    file.writeUInt32LE(value, section + 8 + 4 * index)
  );
  file.writeUInt32LE(0x40000040, section + 36);

  const exports = file.subarray(FILE_AT);
  let end = 52;
  const place = (text: string): number => {
    const at = end;
    exports.write(`${text}\0`, at);
    end += text.length + 1;
    return ADDRESS + at;
  };
  const library = place("bcryptprimitives.dll");
  const name = place("ProcessPrng");
  const target = place("advapi32.SystemFunction036");
  // The library's name, the first number, one function, one name; and where their three lists are.
  [library, 1, 1, 1, ADDRESS + 40, ADDRESS + 44, ADDRESS + 48].forEach((value, index) =>
    exports.writeUInt32LE(value, 12 + 4 * index)
  );
  // A function that lies within the exports themselves is another library's.
  exports.writeUInt32LE(target, 40);
  exports.writeUInt32LE(name, 44);
  file.writeUInt32LE(ADDRESS, optional + 112);
  file.writeUInt32LE(end, optional + 116);
  return file;
}
