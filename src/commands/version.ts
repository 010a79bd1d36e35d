import { formatJson } from "../json.ts";
import { COMMIT, REPOSITORY, VERSION } from "../version.ts";
import type { World } from "../world.ts";
import type { ProgramContext } from "./command.ts";

export async function runVersion(
  { world, options, json }: ProgramContext,
): Promise<number> {
  if (options.flag("check")) return await checkVersion(world, json, options.text("codex-home"));
  await world.answerData(`${json ? formatJson(versionJson(world)) : `codex-login ${VERSION}`}\n`);
  return 0;
}

function versionJson({ runtime, platform }: World): object {
  const { [runtime.name]: version = null } = process.versions;
  return {
    schemaVersion: 1,
    name: "codex-login",
    version: VERSION,
    commit: COMMIT,
    platform,
    arch: process.arch,
    runtime: { name: runtime.name, version },
  };
}

/** Over the same proxies, and with the same certificates, as everything else. */
async function checkVersion(
  world: World,
  json: boolean,
  codexHome: string | undefined,
): Promise<number> {
  const { resolveHome } = await import("../home_folder.ts");
  const { withHomeEnvironment } = await import("../home_environment.ts");
  const { requestLatestVersion } = await import("../latest_version.ts");
  const { compareVersions } = await import("../semantic_version.ts");
  const { findInstallation, updateCommand } = await import("../installation.ts");
  const outward = await withHomeEnvironment(world, await resolveHome(world, codexHome));
  const latest = await requestLatestVersion(outward);
  const order = compareVersions(latest, VERSION);
  const isNewer = order > 0;
  const update = isNewer ? updateCommand(await findInstallation(world)) : undefined;
  if (json) {
    const answer = { schemaVersion: 1, current: VERSION, latest, isNewer, update: update ?? null };
    world.writeData(formatJson(answer));
  } else if (isNewer) {
    world.writeData(`codex-login ${latest} is out; this is ${VERSION}.`);
    world.writeData(
      update === undefined
        ? `To update: run install.sh again, or see ${REPOSITORY}/releases/latest.`
        : `To update: ${update}`,
    );
  } else if (order < 0) {
    world.writeData(`codex-login ${VERSION} is newer than the latest release, ${latest}.`);
  } else {
    world.writeData(`codex-login ${VERSION} is the latest release.`);
  }
  return 0;
}
