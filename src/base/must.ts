/**
 * The value, where its absence would be a fault of the program: an index that was computed, a name that was checked
 * before.
 *
 * @param what names it in the error: `row 3 of the page table`
 * @throws Error when there is none
 */
export function must<Value>(value: Value | undefined | null, what: string): Value {
  if (value === undefined || value === null) throw new Error(`${what} is missing`);
  return value;
}

/** Entry `index` of a list. @throws RangeError when the list does not reach that far */
export function at<Value>(list: ArrayLike<Value>, index: number): Value {
  const value = list[index];
  if (value === undefined) throw new RangeError(`index ${index} is beyond a list of ${list.length}`);
  return value;
}
