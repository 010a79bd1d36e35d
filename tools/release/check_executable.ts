import { verifyAdHoc } from "./code_signature.ts";
import { readElf } from "./elf.ts";
import { readMachO } from "./mach_o.ts";
import { peChecksum, readPe } from "./pe.ts";
import type { Target } from "./targets.ts";
import { readVersion, resourceKinds } from "./version_resource.ts";

export const IDENTIFIER = "codex-login";

/** What else an executable must have in it. */
export interface Expected {
  readonly version: string;
  /** The native code of the keyring for this target. */
  readonly addon: Buffer;
}

/** glibc of RHEL 7 and Ubuntu 14.04; who asks for a newer one shuts people out. */
const NEWEST_GLIBC = "2.17";

const MUSL_NEEDED = ["libstdc++.so.6"];
const GLIBC_NEEDED = ["libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0"];

/** Throws unless this is an executable for the target, whole and with all that belongs to it; says what it found. */
export function checkExecutable(bytes: Buffer, target: Target, expected: Expected): string {
  const found = { elf: checkElf, "mach-o": checkMachO, pe: checkPe }[target.format](
    bytes,
    target,
    expected,
  );
  if (!bytes.includes(expected.addon)) {
    throw new Error(`${target.name}: the keyring's native code is not in it`);
  }
  return found;
}

function checkElf(bytes: Buffer, { name, architecture, triple }: Target): string {
  const elf = readElf(bytes);
  const isMusl = triple.endsWith("-musl");
  const cpu = architecture === "x64" ? "x86_64" : "aarch64";
  // Only on x86-64 the loader of glibc is in another folder, with another name.
  const loader = architecture === "x64" ? "ld-linux-x86-64.so.2" : "ld-linux-aarch64.so.1";
  const interpreter = isMusl
    ? `/lib/ld-musl-${cpu}.so.1`
    : `/${architecture === "x64" ? "lib64" : "lib"}/${loader}`;
  same(name, "processor", elf.architecture, architecture);
  same(name, "interpreter", elf.interpreter, interpreter);
  const needed = isMusl ? [`libc.musl-${cpu}.so.1`, ...MUSL_NEEDED] : [loader, ...GLIBC_NEEDED];
  same(name, "libraries", elf.needed.toSorted().join(" "), needed.toSorted().join(" "));
  if (!isMusl) same(name, "newest glibc", elf.glibc, NEWEST_GLIBC);
  const asked = isMusl ? "libstdc++" : `glibc ${elf.glibc}`;
  return `ELF ${elf.architecture}, ${interpreter}, needs ${asked}`;
}

function checkMachO(bytes: Buffer, { name, architecture }: Target): string {
  const file = readMachO(bytes);
  same(name, "processor", file.architecture, architecture);
  const foreign = file.libraries.find((one) => !one.startsWith("/usr/lib/"));
  if (foreign !== undefined) throw new Error(`${name}: it needs ${foreign}`);
  const { identifier, pages } = verifyAdHoc(bytes);
  same(name, "identifier", identifier, IDENTIFIER);
  return `Mach-O ${architecture}, macOS ${file.minimumSystem}, signed ad hoc, ${pages.length} pages verified`;
}

function checkPe(
  bytes: Buffer,
  { name, architecture, executable }: Target,
  expected: Expected,
): string {
  const pe = readPe(bytes);
  same(name, "processor", pe.architecture, architecture);
  if (!pe.isConsole) throw new Error(`${name}: it is no program for the console`);
  // A signature of the runtime's would not fit any more.
  if (pe.hasSignature) throw new Error(`${name}: it carries a signature of somebody's`);
  if (!pe.sections.some((one) => one.name === ".bun")) {
    throw new Error(`${name}: it has no program`);
  }
  same(
    name,
    "checksum",
    String(peChecksum(bytes, pe.checksumAt)),
    String(bytes.readUInt32LE(pe.checksumAt)),
  );
  const version = readVersion(bytes, pe);
  same(name, "product", version["ProductName"], IDENTIFIER);
  same(name, "original name", version["OriginalFilename"], executable);
  same(name, "version", version["ProductVersion"], expected.version);
  same(name, "version for programs", version["fixed"], `${expected.version.split(/[+-]/)[0]}.0`);
  same(name, "resources", resourceKinds(bytes, pe).join(" "), "16 24");
  return `PE ${architecture}, console, version ${version["fixed"]}`;
}

function same(name: string, what: string, found: string | undefined, expected: string): void {
  if (found !== expected) throw new Error(`${name}: ${what} is ${found} and not ${expected}`);
}
