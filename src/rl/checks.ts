/** Checks of what the objectives are given: every number finite, every list in the shape of the others. */

/** @throws RangeError naming the first number that is not finite. */
export function checkFinite(values: readonly (readonly number[])[], name: string): void {
  for (const [g, group] of values.entries())
    for (const [i, value] of group.entries())
      if (!Number.isFinite(value)) throw new RangeError(`${name} ${i} of group ${g} is ${value}, not a finite number`);
}

/** @throws RangeError when groups or their sizes differ. */
export function checkShape(
  rewards: readonly (readonly number[])[],
  others: readonly (readonly unknown[])[],
  name: string,
): void {
  if (rewards.length !== others.length || rewards.some((group, g) => group.length !== others[g]?.length))
    throw new RangeError(`rewards and ${name} differ in shape`);
}

/** The number of token `t`. @throws RangeError when it is missing or not finite. */
export function finite(value: number | undefined, name: string, t: number): number {
  if (value === undefined || !Number.isFinite(value))
    throw new RangeError(`${name} ${value} of token ${t} is not a finite number`);
  return value;
}
