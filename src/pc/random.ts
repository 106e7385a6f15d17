export function hostRandom(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n;
}

/** Random numbers that are the same in every run: a deterministic machine has no others. xorshift64. */
export function xorshift(): () => bigint {
  let seed = 0x9e37_79b9_7f4a_7c15n;
  return () => {
    seed ^= BigInt.asUintN(64, seed << 13n);
    seed ^= seed >> 7n;
    seed ^= BigInt.asUintN(64, seed << 17n);
    return seed;
  };
}
