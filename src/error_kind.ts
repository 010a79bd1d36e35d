/** What one code means to each audience. `page` is the HTTP status of the browser page. */
export interface ErrorKind {
  readonly exit: number;
  readonly page: number;
  readonly title: string;
  /** The default next step; the place that throws may know a better one. */
  readonly hint: string;
}

export const kind = (exit: number, page: number, title: string, hint: string): ErrorKind => ({
  exit,
  page,
  title,
  hint,
});
