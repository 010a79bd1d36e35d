/** Where a requirement has to be met: the sources on both runtimes, and the file that people download. */
export type Subject = "Deno" | "Bun" | "executable";

export const SUBJECTS: readonly Subject[] = ["Deno", "Bun", "executable"];

/** How Codex CLI 0.169.0 does, as measured or read in its source; `undefined` where nobody looked. */
export type ReferenceAnswer = "yes" | "partly" | "no" | undefined;

/** One line of the security bar. */
export interface Requirement {
  /** What must be true, in our words. */
  readonly says: string;
  /** The standard, or the practice, that asks for it. */
  readonly source: string;
  /** Where it applies. */
  readonly where: readonly Subject[];
  readonly reference: ReferenceAnswer;
}

const row = (
  says: string,
  source: string,
  reference: ReferenceAnswer,
  where: readonly Subject[] = SUBJECTS,
): Requirement => ({ says, source, reference, where });

const EXECUTABLE: readonly Subject[] = ["executable"];

/**
 * The security bar: what a native OAuth client, its loopback server, its store and its executable have to withstand. A test
 * names what it proves with `verifies()`; what cannot be met somewhere stands in SECURITY.md, with its reason.
 */
export const REQUIREMENTS = {
  S1: row("The state has 256 random bits and is new for each attempt.", "RFC 6749 10.12", "yes"),
  S2: row(
    "The state is compared in constant time, and a repeated parameter is refused.",
    "RFC 6749 3.1",
    "no",
  ),
  S3: row("The first right answer counts, and its code is exchanged once.", "RFC 9700 2.1", "no"),
  S4: row(
    "A wrong or missing state gets 400, learns nothing, and the login goes on.",
    "RFC 9700 4.7",
    "yes",
  ),
  S5: row("An error answer needs the right state too.", "RFC 6749 4.1.2.1", "yes"),
  S6: row(
    "PKCE is S256 only, with a verifier of 512 random bits in the right alphabet.",
    "RFC 7636 4.1",
    "yes",
  ),
  S7: row(
    "The redirect address is the same in both requests, and the one that is listened on.",
    "RFC 6749 4.1.3",
    "yes",
  ),
  S8: row(
    "An iss in the answer must be the issuer's own; no metadata is read that could promise one.",
    "RFC 9207",
    "no",
  ),
  S9: row(
    "Only the code flow is used, in the person's own browser.",
    "RFC 8252 8.12, RFC 9700 2.1.2",
    "yes",
  ),
  S10: row(
    "An issuer is https, or http on a loopback name, judged by the parsed host.",
    "RFC 9700 2.6",
    "no",
  ),
  S11: row(
    "The authorization address is built by a URL builder, and is at most 2 kB long.",
    "RFC 6749 4.1.1",
    "yes",
  ),
  S12: row(
    "No nonce is sent, since the service's clients send none, and one in the answer is no reason to fail.",
    "OIDC Core 3.1.2.1",
    undefined,
  ),
  S13: row(
    "Only loopback is listened on; for localhost both families, or none.",
    "RFC 8252 7.3, 8.3",
    "yes",
  ),
  S14: row(
    "Exactly one Host, and it is ours; an absolute target must agree with it.",
    "OWASP, DNS rebinding",
    "no",
  ),
  S15: row(
    "Only GET on exact paths is answered, and no body is read.",
    "RFC 9110 15.5.6",
    "no",
  ),
  S16: row(
    "Only navigations to documents are answered, and nothing with an Origin.",
    "Fetch Metadata",
    "no",
  ),
  S17: row("No web page can cancel a login, or make one look done.", "RFC 8252 8.10", "no"),
  S18: row(
    "After the exchange the browser is sent to a clean address: no code, state or token stays in one.",
    "RFC 9700 4.3",
    "no",
  ),
  S19: row(
    "Each answer, errors too, forbids scripts, frames, caches and referrers.",
    "OWASP Secure Headers",
    "no",
  ),
  S20: row(
    "Foreign text on a page is text: escaped, without control and direction characters, and cut.",
    "OWASP ASVS 5.3",
    "partly",
  ),
  S21: row(
    "Pages need nothing from elsewhere, are valid and accessible, in light, in dark and at 320 px.",
    "WCAG 2.2",
    "partly",
  ),
  S22: row("Headers and targets over 8 kB, and bodies, are refused.", "RFC 6585 5", "no"),
  S23: row(
    "Half-sent requests are closed, and the right callback is answered beside 1,500 slow connections.",
    "Slow-request denial of service",
    "partly",
  ),
  S24: row(
    "The right callback is answered in a flood of wrong ones.",
    "Denial of service by flood",
    "yes",
  ),
  S25: row("No bytes crash the server, or show how it is made.", "RFC 9112 11", "partly"),
  S26: row("A login ends by itself, with an exit code, and frees its port.", "RFC 8252 8", "no"),
  S27: row("A stranger on our port is sent nothing.", "Practice", "no"),
  S28: row("A newer login does not end an older one in silence.", "Practice", "no"),
  S29: row("Connecting takes 10 s at most, and a request 30 s.", "Practice", "no"),
  S30: row("A body has a limit, which counts unpacked bytes.", "OWASP, decompression bombs", "no"),
  S31: row("No redirect of an endpoint is followed.", "RFC 9700 4.12", "no"),
  S32: row(
    "A token answer is 200, JSON, an object of the right shape, and of type Bearer.",
    "RFC 6749 5.1",
    "no",
  ),
  S33: row(
    "TLS is always verified; only documented variables add a certificate authority.",
    "RFC 8252 8, RFC 9325",
    "yes",
  ),
  S34: row(
    "A proxy is used for the issuer, never for loopback, and its password is not shown.",
    "Practice",
    "yes",
  ),
  S35: row(
    "A code is not sent twice, a refresh only if nothing was sent; device polls survive trouble.",
    "RFC 6749 4.1.2, RFC 8628 3.5",
    "no",
  ),
  S36: row("What we sent is cut out of what the issuer says.", "OWASP Logging", "yes"),
  S37: row(
    "An ID token has three strict parts, the right issuer, audience, party and times, and a signing alg.",
    "OIDC Core 3.1.3.7",
    "no",
  ),
  S38: row(
    "A token's payload is an object of bounded size and depth, and its names stay data.",
    "RFC 8725 2.6",
    "partly",
  ),
  S39: row(
    "A clock that is wrong by years refuses no login, and makes no loop.",
    "OIDC Core 3.1.3.7",
    undefined,
    SUBJECTS,
  ),
  S40: row(
    "A device's address is the issuer's, its code is clean, and the danger is named.",
    "RFC 8628 5.4",
    "no",
  ),
  S41: row(
    "A device's interval is 1 to 60 s, slow_down adds five, and it ends in 15 min.",
    "RFC 8628 3.5",
    "no",
  ),
  S42: row(
    "A device's verifier has to fit its challenge.",
    "RFC 7636 4.6",
    "no",
  ),
  S43: row("auth.json is 0600 from its first byte, whatever the umask.", "CWE-377, CWE-732", "yes"),
  S44: row(
    "Our folders are 0700 and our files 0600; a loose auth.json is tightened.",
    "CWE-732",
    "partly",
  ),
  S45: row(
    "A save is a synced temporary file, a rename and a synced folder.",
    "fsync(2)",
    "partly",
  ),
  S46: row(
    "kill -9 at any system call leaves the old or the new, whole.",
    "Crash safety",
    undefined,
  ),
  S47: row("A disk error at any system call changes nothing, and is told.", "Crash safety", "no"),
  S48: row("The old login lives until the new one is on disk.", "Crash safety", "no"),
  S49: row("A link in place of auth.json never leads to somebody else's file.", "CWE-59", "yes"),
  S50: row("Members that we do not know survive.", "Compatibility", "no"),
  S51: row("A damaged auth.json is kept aside, and status leaves it alone.", "Practice", "no"),
  S52: row(
    "Writers take the two locks of the reference, and wait a bounded time.",
    "flock(2)",
    "yes",
  ),
  S53: row("Fifty writers at once leave valid JSON.", "Concurrency", undefined),
  S54: row("A store that cannot be written is told before the browser opens.", "Practice", "no"),
  S55: row("Only a regular file of bounded size is read, and nothing hangs.", "CWE-400", undefined),
  S56: row(
    "The keyring has the reference's entries, a time limit, and no silent way to a file.",
    "Secret Service API",
    "yes",
  ),
  S57: row("Many processes and calls make one token request.", "RFC 9700 4.14", "no"),
  S58: row(
    "A new refresh token is on disk before its access token is given out.",
    "RFC 9700 4.14",
    undefined,
  ),
  S59: row(
    "A refusal for good asks for a login, anything else may work later; both keep the file.",
    "RFC 6749 5.2",
    undefined,
  ),
  S60: row(
    "What an answer leaves out is kept, and another person's tokens are refused.",
    "RFC 6749 6",
    undefined,
  ),
  S61: row(
    "A logout revokes, deletes whatever happens, and tells the truth.",
    "RFC 7009",
    "partly",
  ),
  S62: row(
    "No secret is in arguments or in a child's environment; keys come by stdin only.",
    "CWE-214",
    "yes",
  ),
  S63: row(
    "The log is 0600 in a folder of 0700, follows no link, and is rotated.",
    "CWE-59, CWE-532",
    "partly",
  ),
  S64: row(
    "No secret of any run is in a log, on a terminal, in an error or on a page.",
    "CWE-532",
    "yes",
  ),
  S65: row(
    "Foreign text reaches no terminal with control or direction characters.",
    "CWE-150",
    "no",
  ),
  S66: row(
    "A browser is started by an argument list, without a shell, with our address only.",
    "CWE-78",
    "yes",
  ),
  S67: row(
    "A signal ends a login at once, with its exit code, and leaves nothing.",
    "signal(7)",
    "yes",
  ),
  S68: row("No core is dumped, and other processes cannot read the memory.", "CWE-528", "no"),
  S69: row("A crash tells no secret, to nobody.", "CWE-209", undefined),
  S70: row(
    "A hostile current folder changes nothing, and is not looked at.",
    "CWE-427",
    "yes",
    EXECUTABLE,
  ),
  S71: row("Hostile variables have no effect, or are refused by name.", "CWE-454", "yes"),
  S72: row(
    "Nobody but the issuer is contacted; the npm registry by `version --check` only.",
    "Privacy",
    "partly",
  ),
  S73: row(
    "JSON-RPC lines are bounded and answered by the book, and the end of stdin ends the server.",
    "JSON-RPC 2.0",
    undefined,
  ),
  S74: row(
    "Versions are exact, installs run no scripts, licences are known, and there is a bill of materials.",
    "SLSA, CycloneDX",
    undefined,
  ),
  S75: row(
    "Two builds are the same bytes, and no path of the machine is in them.",
    "Reproducible builds",
    undefined,
    EXECUTABLE,
  ),
} as const satisfies Record<string, Requirement>;

export type RequirementId = keyof typeof REQUIREMENTS;
