import { X509Certificate } from "node:crypto";
import { LoginError } from "./errors.ts";
import { printable } from "./printable.ts";
import { readSmallFile } from "./small_file.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Bundles of a whole system have a quarter of it. */
const MAX_BYTES = 4 << 20;
const PEM =
  /^-----BEGIN (?:TRUSTED )?CERTIFICATE-----(?:[\s\S]*?-----END (?:TRUSTED )?CERTIFICATE-----)?/;
const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** A file of certificates, and the variable that names it. */
export interface NamedFile {
  readonly variable: string;
  readonly path: string;
}

/** The first of the two that are about this program, or any; beside it the one that adds to all others. */
export function namedFiles(env: Environment): NamedFile[] {
  const own = ["CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"].find((name) => env[name]);
  const names = own === undefined ? ["NODE_EXTRA_CA_CERTS"] : [own, "NODE_EXTRA_CA_CERTS"];
  return names.flatMap((variable) => {
    const path = env[variable];
    return path ? [{ variable, path }] : [];
  });
}

/**
 * The certificates of a file that the environment names.
 *
 * @throws {LoginError} CA_FILE, which names the variable, the file and the line.
 */
export async function readCertificates({ variable, path }: NamedFile): Promise<X509Certificate[]> {
  const refuse = (reason: string): LoginError =>
    new LoginError("CA_FILE", `The certificates of ${variable} cannot be used`, {
      reason: `${printable(path)}: ${reason}`,
      hint: `correct ${variable}, or unset it`,
      requestSent: false,
    });
  const text = await readSmallFile(path, MAX_BYTES, refuse);
  if (text === undefined) throw refuse("it does not exist");
  const blocks = blocksOf(text);
  if (blocks.length === 0) throw refuse("no certificate (PEM) is in it");
  return blocks.map(({ block, line }, i) => {
    const certificate = parse(block);
    if (certificate !== undefined) return certificate;
    throw refuse(`certificate ${i + 1}, at line ${line}, cannot be read`);
  });
}

/** Cut at their beginnings: otherwise an end that is missing would be looked for in the whole text, from each beginning anew. */
function blocksOf(text: string): { block: string; line: number }[] {
  let line = 1;
  return text.split(/(?=-----BEGIN )/).flatMap((part) => {
    const block = PEM.exec(part)?.[0];
    const found = block === undefined ? [] : [{ block, line }];
    line += part.split("\n").length - 1;
    return found;
  });
}

function parse(block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block.replaceAll("TRUSTED ", ""));
  } catch {
    return undefined;
  }
}

/**
 * Whom to trust, as PEM texts: the built-in certificates and those of the named files. They are listed even when no file is
 * named, because runtimes that may choose by themselves obey variables of their own (`DENO_CERT`, `SSL_CERT_DIR`, …).
 *
 * @throws {LoginError} CA_FILE
 */
export async function loadTrust(env: Environment): Promise<string[]> {
  const own = (await Promise.all(namedFiles(env).map(readCertificates))).flat().map(String);
  const { rootCertificates } = await import("node:tls");
  return [...rootCertificates, ...own];
}

/** What the system trusts besides, asked for only when somebody is not trusted without it. One that cannot be read is left out. */
export async function loadSystemTrust(): Promise<string[]> {
  let texts: readonly string[] = [];
  if (process.platform === "linux" || process.platform === "freebsd") {
    for (const path of SYSTEM_BUNDLES) {
      const text = await readSmallFile(path, MAX_BYTES, (reason) => new Error(reason))
        .catch(() => undefined);
      texts = blocksOf(text ?? "").map(({ block }) => block);
      if (texts.length > 0) break;
    }
  } else {
    const tls = await import("node:tls") as { getCACertificates?: (type: string) => string[] };
    try {
      texts = tls.getCACertificates?.("system") ?? [];
    } catch {
      // Not everybody may ask for them.
    }
  }
  return texts.map(parse).filter((one) => one !== undefined).map(String);
}
