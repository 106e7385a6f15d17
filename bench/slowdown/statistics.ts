/**
 * The value in the middle; of an even number of values the mean of the two in the middle.
 *
 * @param values at least one
 */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? NaN) + high) / 2;
}

/**
 * The mean of ratios that does not depend on which side of a ratio is called the first: the n-th root of the product.
 *
 * @param ratios at least one, all above 0
 */
export function geometricMean(ratios: readonly number[]): number {
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
}

/** A median with the smallest and the largest value that it was taken from. */
export interface Range {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** @param values at least one */
export function rangeOf(values: readonly number[]): Range {
  return { median: median(values), low: Math.min(...values), high: Math.max(...values) };
}

/** How far the values lie apart, in parts of their median: 0.1 is 10 %. */
export function spreadOf({ median: middle, low, high }: Range): number {
  return middle > 0 ? (high - low) / middle : 0;
}

/** The ratio of two ranges: of the medians, and the smallest and largest that their values allow. */
export function ratioOf(above: Range, below: Range): Range {
  return { median: above.median / below.median, low: above.low / below.high, high: above.high / below.low };
}

/** Whether two ranges have values in common: then the difference of their medians is no more than the noise. */
export function overlap(left: Range, right: Range): boolean {
  return left.low <= right.high && right.low <= left.high;
}
