/** Three numbers, maybe a pre-release, maybe a build, which does not count. */
const SHAPE =
  /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]{1,40}))?(?:\+[0-9A-Za-z.-]{1,40})?$/;

export function isSemanticVersion(text: string): boolean {
  return SHAPE.test(text);
}

/**
 * Below zero when the first comes before the second, above when after it, zero when neither. What is no version comes first.
 *
 * @see https://semver.org/spec/v2.0.0.html#spec-item-11
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [SHAPE.exec(a), SHAPE.exec(b)];
  if (!left || !right) return Number(Boolean(left)) - Number(Boolean(right));
  for (const i of [1, 2, 3]) {
    const difference = Number(left[i]) - Number(right[i]);
    if (difference !== 0) return difference;
  }
  return comparePreReleases(left[4], right[4]);
}

/** A release comes after all its pre-releases; numbers before words, and the shorter before what it begins. */
function comparePreReleases(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(b !== undefined) - Number(a !== undefined);
  const [left, right] = [a.split("."), b.split(".")];
  for (const [i, one] of left.entries()) {
    const other = right[i];
    if (other === undefined) return 1;
    if (one === other) continue;
    const [isNumber, isOtherNumber] = [/^\d+$/.test(one), /^\d+$/.test(other)];
    if (isNumber && isOtherNumber) return Number(one) - Number(other);
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
    return one < other ? -1 : 1;
  }
  return left.length - right.length;
}
