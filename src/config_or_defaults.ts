import { type Config, type ConfigFlags, REQUIREMENTS, resolveConfig, settle } from "./config.ts";
import { type LoginError, toLoginError } from "./errors.ts";
import { resolveHome } from "./home_folder.ts";
import { readOverrideSettings } from "./settings.ts";
import { hasFile } from "./small_file.ts";
import type { World } from "./world.ts";

/**
 * The settings for who looks at what is broken: defaults where the files or the environment cannot be used, with the reason.
 * The home is empty where nobody knows it. What the command line says wrong is still refused.
 *
 * @throws {LoginError} CONFIG or ISSUER_INVALID
 */
export async function resolveConfigOrDefaults(
  world: World,
  flags: ConfigFlags,
): Promise<{ config: Config; obstacle: LoginError | undefined }> {
  try {
    return { config: await resolveConfig(world, flags), obstacle: undefined };
  } catch (thrown) {
    const obstacle = toLoginError(thrown);
    if (obstacle.code !== "CONFIG" && obstacle.code !== "ISSUER_INVALID") throw thrown;
    const given = await readOverrideSettings(flags.overrides ?? []);
    const config = await settle(
      { ...world, env: {} },
      flags,
      await homeOrNone(world, flags),
      given,
      await hasFile(REQUIREMENTS),
    );
    return { config, obstacle };
  }
}

async function homeOrNone(world: World, { codexHome }: ConfigFlags): Promise<string> {
  try {
    return await resolveHome(world, codexHome);
  } catch {
    return "";
  }
}
