import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { REAL_HOSTS } from "./connect_proxy.ts";

/** A certificate for the real hosts, its own authority; good for this run only, and trusted by nobody who is not told to. */
export interface Certificate {
  readonly caPath: string;
  readonly certPath: string;
  readonly keyPath: string;
}

/** @throws {Error} where there is no openssl to make it. */
export function makeCertificate(folder: string): Certificate {
  const ca = [join(folder, "ca.pem"), join(folder, "ca.key")] as const;
  const own = [join(folder, "issuer.pem"), join(folder, "issuer.key")] as const;
  const elliptic = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl([
    ...["req", "-x509", "-days", "2", "-subj", "/CN=bench CA", ...elliptic],
    ...["-out", ca[0], "-keyout", ca[1]],
  ]);
  openssl([
    ...["req", "-x509", "-days", "2", "-subj", "/CN=bench issuer", ...elliptic],
    ...["-CA", ca[0], "-CAkey", ca[1], "-out", own[0], "-keyout", own[1]],
    ...["-addext", `subjectAltName=${REAL_HOSTS.map((host) => `DNS:${host}`).join(",")}`],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
  ]);
  return { caPath: ca[0], certPath: own[0], keyPath: own[1] };
}

function openssl(parameters: readonly string[]): void {
  const { status, stderr, error } = spawnSync("openssl", parameters, { encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl made no certificate: ${error?.message ?? stderr}`);
}
