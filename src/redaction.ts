/** A secret shorter than this is no secret, and cutting it out would cut up ordinary words. */
const MIN_LENGTH = 8;

/**
 * Cuts every known secret out of a text: as it is, as an address or a form has it, and as JSON writes it.
 */
export function withoutSecrets(text: string, secrets: Iterable<string>): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.length < MIN_LENGTH) continue;
    for (const form of new Set(formsOf(secret))) clean = clean.replaceAll(form, "[redacted]");
  }
  return clean;
}

function formsOf(secret: string): string[] {
  const asForm = new URLSearchParams([["", secret]]).toString().slice(1);
  // A lone half of a character cannot be encoded; such a secret never was one of ours.
  const asAddress = secret.isWellFormed() ? [encodeURIComponent(secret)] : [];
  return [secret, asForm, JSON.stringify(secret).slice(1, -1), ...asAddress];
}
