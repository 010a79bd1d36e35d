/** A file in an archive; everything else about it is the same for all: root's, and of the release's time. */
export interface Entry {
  readonly name: string;
  readonly mode: number;
  readonly content: Uint8Array;
}
