import { readFileSync } from "node:fs";
import { type LockedPackage, readLockfile } from "./lockfile.ts";

/** The installed packages of which something got into a build, by the list of its inputs that Bun writes. */
export function packagesOf(metafile: string): string[] {
  const { inputs } = JSON.parse(readFileSync(metafile, "utf8")) as { inputs: object };
  return Object.keys(inputs).flatMap((path) =>
    /.*\bnode_modules\/((?:@[^/]+\/)?[^./][^/]*)/.exec(path)?.[1] ?? []
  );
}

/**
 * What is inside the executable, in CycloneDX 1.6: each package with its version, licence and checksum. It has neither a time
 * nor a number of its own, so that the same sources give the same bytes.
 *
 * @see https://cyclonedx.org/docs/1.6/json/
 */
export function describeMaterials(
  own: { readonly name: string; readonly version: string; readonly license: string },
  names: Iterable<string>,
  lockfile: readonly LockedPackage[] = readLockfile(),
): string {
  const components = [...new Set(names)].sort().map((name) => {
    const found = lockfile.find((one) => one.name === name);
    if (!found) throw new Error(`${name} is in the executable and not in package-lock.json`);
    return describe(found);
  });
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": `pkg:npm/${own.name}@${own.version}`,
        name: own.name,
        version: own.version,
        purl: `pkg:npm/${own.name}@${own.version}`,
        licenses: [{ license: { id: own.license } }],
      },
    },
    components,
    dependencies: [{
      ref: `pkg:npm/${own.name}@${own.version}`,
      dependsOn: components.map((one) => one["bom-ref"]),
    }],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

interface Component {
  readonly type: "library" | "platform";
  /** What others in the document call it. */
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: readonly { alg: "SHA-512"; content: string }[];
  readonly licenses: readonly { license: { id: string } }[];
}

function describe({ name, version, license, integrity }: LockedPackage): Component {
  const purl = `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;
  const [, digest = ""] = /^sha512-(.+)$/.exec(integrity) ?? [];
  return {
    // Bun is not only a library in it: it runs all the others.
    type: name === "bun" ? "platform" : "library",
    "bom-ref": purl,
    name,
    version,
    purl,
    hashes: [{ alg: "SHA-512", content: Buffer.from(digest, "base64").toString("hex") }],
    licenses: [{ license: { id: license } }],
  };
}
