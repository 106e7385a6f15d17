import type { Stream } from "./streams.ts";

/** An access to memory in rounds that run in groups. */
export interface GroupAccess {
  readonly stream: Stream;
  /** StreamSite.distance */
  readonly distance: number;
  readonly bytes: number;
  readonly isStore: boolean;
}

/**
 * The pairs of streams that must not overlap. A group loads first and stores then, one store instruction of all rounds after the other
 * or round by round: so a round must not load what another one of the group stores. Undefined if it does so within a stream.
 *
 * @param accesses of a round, in the order of the program
 */
export function streamsApart(
  accesses: readonly GroupAccess[],
  rounds: number,
): readonly (readonly [Stream, Stream])[] | undefined {
  const apart = new Map<string, readonly [Stream, Stream]>();
  const streams = [...new Set(accesses.map(({ stream }) => stream))];
  for (const [index, first] of accesses.entries()) {
    for (const second of accesses.slice(index)) {
      if (!first.isStore && !second.isStore) continue;
      if (first.stream === second.stream) {
        if (isReordered(first, second, rounds)) return undefined;
        continue;
      }
      const pair = [first.stream, second.stream].toSorted((a, b) => streams.indexOf(a) - streams.indexOf(b));
      const [one, other] = pair;
      if (one && other) apart.set(pair.map((stream) => streams.indexOf(stream)).join(), [one, other]);
    }
  }
  return [...apart.values()];
}

/** Whether two accesses of a stream, the first of which comes first in a round, meet in another order than round by round. */
function isReordered(first: GroupAccess, second: GroupAccess, rounds: number): boolean {
  const { stride } = first.stream;
  for (let later = 1 - rounds; later < rounds; later++) {
    // The first access `later` rounds behind the second.
    const ahead = first.distance + later * stride - second.distance;
    if (ahead >= second.bytes || -ahead >= first.bytes) continue;
    if (first === second) {
      if (later !== 0) return true;
      continue;
    }
    const comesFirst = later <= 0;
    const comesFirstNow = !first.isStore || second.isStore;
    if (comesFirst !== comesFirstNow) return true;
  }
  return false;
}
