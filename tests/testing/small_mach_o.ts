/** A Mach-O executable of three small segments, with room for a signature that is not there yet. */
export function smallMachO(cpu = 0x0100000c): Buffer {
  const PAGE = 0x4000;
  const commands = [
    segment("__PAGEZERO", 0, 0, 0x100000000n),
    segment("__TEXT", 0, PAGE, BigInt(PAGE)),
    segment("__LINKEDIT", PAGE, 0x40, BigInt(PAGE)),
    dylib("/usr/lib/libSystem.B.dylib"),
    numbers(0x32, 1, 13 << 16, 14 << 16, 0),
    numbers(0x1d, PAGE + 0x20, 0x20),
  ];
  const load = Buffer.concat(commands);
  const header = Buffer.alloc(32);
  [0xfeedfacf, cpu, 0, 2, commands.length, load.length, 0x85, 0]
    .forEach((value, index) => header.writeUInt32LE(value, 4 * index));
  const file = Buffer.alloc(PAGE + 0x40, 0x5a);
  file.set(Buffer.concat([header, load]));
  return file;
}

function segment(name: string, offset: number, size: number, memorySize: bigint): Buffer {
  const command = Buffer.alloc(72);
  command.writeUInt32LE(0x19, 0);
  command.writeUInt32LE(72, 4);
  command.write(name, 8);
  command.writeBigUInt64LE(memorySize, 32);
  command.writeBigUInt64LE(BigInt(offset), 40);
  command.writeBigUInt64LE(BigInt(size), 48);
  return command;
}

function dylib(name: string): Buffer {
  const command = Buffer.alloc(56);
  command.writeUInt32LE(0xc, 0);
  command.writeUInt32LE(56, 4);
  command.writeUInt32LE(24, 8);
  command.write(name, 24);
  return command;
}

function numbers(kind: number, ...values: readonly number[]): Buffer {
  const command = Buffer.alloc(8 + 4 * values.length);
  [kind, command.length, ...values].forEach((value, at) => command.writeUInt32LE(value, 4 * at));
  return command;
}
