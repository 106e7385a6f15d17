/**
 * What can be wrong with what a machine is asked to boot:
 *
 * | code | what is wrong |
 * | --- | --- |
 * | ERR_KERNEL_FORMAT | the kernel: of no format that is understood, for another machine, or damaged |
 * | ERR_KERNEL_PLACEMENT | the kernel: it does not fit into the machine's memory |
 * | ERR_INITRD | the initial RAM disk or a module: it does not fit |
 * | ERR_COMMAND_LINE | the command line: too long, or with characters that it cannot hold |
 */
export type BootErrorCode = "ERR_KERNEL_FORMAT" | "ERR_KERNEL_PLACEMENT" | "ERR_INITRD" | "ERR_COMMAND_LINE";

/** A kernel, an initial RAM disk or a command line that cannot be booted. The product shows it as a VmError of the same code. */
export class BootError extends Error {
  override readonly name = "BootError";
  readonly code: BootErrorCode;

  constructor(code: BootErrorCode, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** A number as messages show it. */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** A size as messages show it, rounded up. */
export function mebibytes(bytes: number): string {
  return bytes < 0x10_0000 ? `${bytes} bytes` : `${Math.ceil(bytes / 0x10_0000)} MiB`;
}
