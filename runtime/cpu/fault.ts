import { Vector } from "../abi/guest-state.ts";

/**
 * A guest exception as data: what to deliver, not yet delivered. It is returned, never thrown.
 */
export class Fault {
  readonly vector: number;
  /** undefined when the vector pushes none */
  readonly errorCode: number | undefined;
  /** linear address of a page fault */
  readonly cr2: bigint | undefined;
  /** bits to set in DR6, of #DB */
  readonly dr6: number | undefined;

  constructor(vector: number, errorCode?: number, details: { readonly cr2?: bigint; readonly dr6?: number } = {}) {
    this.vector = vector;
    this.errorCode = errorCode;
    this.cr2 = details.cr2;
    this.dr6 = details.dr6;
  }
}

/** #GP with an error code: 0 or a selector. */
export function generalProtection(errorCode = 0): Fault {
  return new Fault(Vector.GP, errorCode);
}

export function invalidOpcode(): Fault {
  return new Fault(Vector.UD);
}

/** Error code that names a selector: index and table, without the RPL; SDM Vol. 3A, 6.13. */
export function selectorError(selector: number, external: 0 | 1 = 0): number {
  return (selector & 0xfffc) | external;
}
