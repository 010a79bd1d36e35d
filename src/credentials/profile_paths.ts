import { childPath } from "../child_path.ts";

export function profilesFolder(home: string): string {
  return childPath(home, "profiles");
}

export function profilePath(home: string, name: string): string {
  return childPath(profilesFolder(home), `${name}.json`);
}

/** No profile can have this name. */
export function markerPath(home: string): string {
  return profilePath(home, "active");
}

/** Nor this one. */
export function intentPath(home: string): string {
  return childPath(profilesFolder(home), ".exchange.json");
}
