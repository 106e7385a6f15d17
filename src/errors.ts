/**
 * Stable, documented codes; embedders switch on these, never on messages.
 *
 * | code | what is wrong |
 * | --- | --- |
 * | ERR_CONFIG | an option or an argument: unknown, missing, or out of range |
 * | ERR_MEMORY_SIZE | a size of memory: malformed, or more or less than the machine can have |
 * | ERR_PROGRAM_FORMAT | a program: not of a format that is understood, for another machine, or damaged |
 * | ERR_PROGRAM_PLACEMENT | a program: some of it, or its entry, would lie outside the machine's memory |
 * | ERR_FILE | a file of the host: it cannot be read |
 * | ERR_KERNEL_FORMAT | a kernel: of no format that is understood, for another machine, or damaged |
 * | ERR_KERNEL_PLACEMENT | a kernel: it does not fit into the machine's memory |
 * | ERR_INITRD | an initial RAM disk or a module: it does not fit into the machine's memory |
 * | ERR_COMMAND_LINE | a kernel's command line: too long, or with characters that it cannot hold |
 * | ERR_DISK_FORMAT | a disk image: of a size that no disk has, or shorter than its partition table says |
 * | ERR_DISK_LOCKED | a disk image: another machine uses it |
 * | ERR_DISK_CHANGED | a disk image that is only read: it has become another one while the machine ran |
 * | ERR_DISK_IO | a disk image: reading or writing it failed while the machine ran |
 * | ERR_GUEST_ADDRESS | an address in the guest: not all of what was asked for is memory |
 * | ERR_STATE | a call that the machine's status does not allow, such as to run it while it runs |
 * | ERR_CLOSED | a call on a machine that is closed |
 * | ERR_WORKER | a worker: it could not be started, or has died |
 * | ERR_HOST | the JavaScript engine or the page: it lacks what Umbra, or what was asked for, needs |
 * | ERR_GUEST | a guest that `runProgram` made: it did not come to the program's end |
 * | ERR_OUTPUT | a program of `runProgram`: it wrote more than the result may hold |
 * | ERR_INTERNAL | a bug of Umbra |
 * | ERR_DOWNLOAD | a file from the network: it cannot be fetched, or is not what it should be |
 * | ERR_TOOL | a program of the host that is needed: missing, or it failed |
 */
export type VmErrorCode =
  | "ERR_CONFIG"
  | "ERR_MEMORY_SIZE"
  | "ERR_PROGRAM_FORMAT"
  | "ERR_PROGRAM_PLACEMENT"
  | "ERR_FILE"
  | "ERR_KERNEL_FORMAT"
  | "ERR_KERNEL_PLACEMENT"
  | "ERR_INITRD"
  | "ERR_COMMAND_LINE"
  | "ERR_DISK_FORMAT"
  | "ERR_DISK_LOCKED"
  | "ERR_DISK_CHANGED"
  | "ERR_DISK_IO"
  | "ERR_GUEST_ADDRESS"
  | "ERR_STATE"
  | "ERR_CLOSED"
  | "ERR_WORKER"
  | "ERR_HOST"
  | "ERR_GUEST"
  | "ERR_OUTPUT"
  | "ERR_INTERNAL"
  | "ERR_DOWNLOAD"
  | "ERR_TOOL";

/** A mistake of the host or of the user: the message says what, where, what was found and what was expected. */
export class VmError extends Error {
  override readonly name = "VmError";
  readonly code: VmErrorCode;

  constructor(code: VmErrorCode, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** An error between threads: of its class only the code is left. */
export interface WireError {
  readonly code: VmErrorCode;
  readonly message: string;
}

export function wireError({ code, message }: VmError): WireError {
  return { code, message };
}

export function asError({ code, message }: WireError): VmError {
  return new VmError(code, message);
}

/** Whatever was thrown as a VmError: what is none is a bug, unless `code` says what it is. */
export function toVmError(cause: unknown, code: VmErrorCode = "ERR_INTERNAL"): VmError {
  if (cause instanceof VmError) return cause;
  return new VmError(code, cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause), { cause });
}
