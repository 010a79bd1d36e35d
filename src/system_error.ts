import { systemCode } from "./errors.ts";

/** What the commonest codes of failed system calls mean to a person. */
const MEANINGS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EBUSY: "it is in use",
  EDQUOT: "the disk quota is used up",
  EEXIST: "something of that name is in the way",
  EFBIG: "the file would be too large",
  EIO: "the disk gave an error",
  EISDIR: "it is a folder",
  ELOOP: "it is a link, or a circle of links",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "it does not exist",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is not a folder",
  ENXIO: "it is not a regular file",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
};

/** Why a system call failed, for people: meaning and code, `the disk is full (ENOSPC)`. */
export function describeSystemError(thrown: unknown): string {
  const code = systemCode(thrown);
  if (code === undefined) return thrown instanceof Error ? thrown.name : "unknown error";
  const meaning = MEANINGS[code];
  return meaning ? `${meaning} (${code})` : code;
}
