export interface ConnectionOptions {
  /** For proxies and certificates; none by default. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** PEM certificates that replace all others. */
  readonly ca?: string;
}
