import { VmError } from "../errors.ts";

const SHIFT: Readonly<Record<string, bigint>> = { "": 0n, K: 10n, M: 20n, G: 30n };

/** Reads an unsigned number: decimal, or hexadecimal with 0x; undefined when it is none. */
function parseUnsigned(text: string): bigint | undefined {
  return /^(?:[0-9]+|0x[0-9a-f]+)$/i.test(text) ? BigInt(text) : undefined;
}

/**
 * Reads a size in bytes such as 4096, 0x1000, 64K, 512M, 2GiB; units are powers of 1024.
 *
 * @param name what the size is of, for the message
 * @throws {VmError} ERR_MEMORY_SIZE unless it is a size in [1, 2^53)
 */
export function parseSize(name: string, text: string): number {
  const match = /^(.*?)([kmg]?)(?:i?b)?$/i.exec(text);
  // A hexadecimal number may end in "b", which is then a digit.
  const [digits, unit] = /^0x/i.test(text) ? [text, ""] : [match?.[1] ?? "", (match?.[2] ?? "").toUpperCase()];
  const count = parseUnsigned(digits);
  if (count === undefined) {
    throw new VmError(
      "ERR_MEMORY_SIZE",
      `${name}: "${text}" is not a size; expected bytes, such as 4096, 64K, 512M or 2G`,
    );
  }
  const bytes = count << (SHIFT[unit] ?? 0n);
  if (bytes === 0n || bytes > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new VmError("ERR_MEMORY_SIZE", `${name}: ${text} is out of range`);
  }
  return Number(bytes);
}

/**
 * Reads an address: decimal, or hexadecimal with 0x.
 *
 * @throws {VmError} ERR_CONFIG unless it is in [0, 2^64)
 */
export function parseAddress(name: string, text: string): bigint {
  const value = parseUnsigned(text);
  if (value === undefined) {
    throw new VmError("ERR_CONFIG", `${name}: "${text}" is not an address; expected a number such as 4096 or 0x1000`);
  }
  if (value >= 1n << 64n) throw new VmError("ERR_CONFIG", `${name}: ${text} does not fit in 64 bits`);
  return value;
}

/**
 * Reads a count: decimal, or hexadecimal with 0x; K, M and G are powers of 1000.
 *
 * @throws {VmError} ERR_CONFIG unless it is in [0, 2^53)
 */
export function parseCount(name: string, text: string): number {
  const match = /^(.*?)([kmg]?)$/i.exec(text);
  const [digits, unit] = [match?.[1] ?? "", (match?.[2] ?? "").toUpperCase()];
  const scale = { "": 1n, K: 1000n, M: 1_000_000n, G: 1_000_000_000n }[unit] ?? 1n;
  const count = parseUnsigned(digits);
  if (count === undefined) {
    throw new VmError("ERR_CONFIG", `${name}: "${text}" is not a count; expected a number such as 1000, 20M or 1G`);
  }
  const value = count * scale;
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new VmError("ERR_CONFIG", `${name}: ${text} is out of range`);
  return Number(value);
}

/**
 * Reads a word out of a list.
 *
 * @throws {VmError} ERR_CONFIG unless it is in the list
 */
export function parseChoice<const T extends string>(name: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw new VmError("ERR_CONFIG", `${name}: "${text}" is none of ${choices.join(", ")}`);
  return found;
}
