import { guestState, Mode, NO_ERROR_CODE } from "../abi/guest-state.ts";
import { type CoreExports, WalkAccess } from "./core-module.ts";
import { Fault } from "./fault.ts";
import type { AccessSize, LinearMemory, Privilege } from "./memory-access.ts";
import type { StateView } from "./state-view.ts";

/** Guest-linear memory for call-outs, over the page walker of core.wasm. An access that crosses a page walks both first. */
export class PagedMemory implements LinearMemory {
  readonly #core: CoreExports;
  readonly #state: StateView;
  readonly #view: DataView;
  /** where bytes pass between TypeScript and generated code: the last 64 bytes of the bounce buffer, behind any XSAVE image */
  readonly #buffer: number;

  constructor(core: CoreExports, state: StateView, view: DataView) {
    this.#core = core;
    this.#state = state;
    this.#view = view;
    this.#buffer = state.base + guestState.bounce.offset + 16 * (guestState.bounce.count - 4);
  }

  read(linear: bigint, size: AccessSize, privilege: Privilege): bigint | Fault {
    const pages = this.#walk(linear, size, accessOf(privilege));
    if (pages instanceof Fault) return pages;
    const { first, second, inFirst } = pages;
    this.#core.physical_read(this.#state.base, first, this.#buffer, inFirst);
    if (inFirst < size) this.#core.physical_read(this.#state.base, second, this.#buffer + inFirst, size - inFirst);
    const all = this.#view.getBigUint64(this.#buffer, true);
    return BigInt.asUintN(8 * size, all);
  }

  write(linear: bigint, size: AccessSize, value: bigint, privilege: Privilege): Fault | undefined {
    const pages = this.#walk(linear, size, accessOf(privilege) | WalkAccess.WRITE);
    if (pages instanceof Fault) return pages;
    const { first, second, inFirst } = pages;
    this.#view.setBigUint64(this.#buffer, BigInt.asUintN(64, value), true);
    this.#core.physical_write(this.#state.base, first, this.#buffer, inFirst);
    if (inFirst < size) this.#core.physical_write(this.#state.base, second, this.#buffer + inFirst, size - inFirst);
    return undefined;
  }

  readWords(linear: bigint, count: number, privilege: Privilege): bigint[] | Fault {
    const { base } = this.#state;
    const gpa = this.#core.page_walk(base, linear, accessOf(privilege));
    if (gpa === -1n) return this.#fault();
    this.#core.physical_read(base, gpa, this.#buffer, count * 8);
    const words: bigint[] = [];
    for (let index = 0; index < count; index++) words.push(this.#view.getBigUint64(this.#buffer + index * 8, true));
    return words;
  }

  writeWords(linear: bigint, words: readonly bigint[], privilege: Privilege): Fault | undefined {
    const { base } = this.#state;
    const gpa = this.#core.page_walk(base, linear, accessOf(privilege) | WalkAccess.WRITE);
    if (gpa === -1n) return this.#fault();
    for (const [index, word] of words.entries()) this.#view.setBigUint64(this.#buffer + index * 8, word, true);
    this.#core.physical_write(base, gpa, this.#buffer, words.length * 8);
    return undefined;
  }

  #walk(linear: bigint, size: number, access: number): { first: bigint; second: bigint; inFirst: number } | Fault {
    const { base } = this.#state;
    const inFirst = Math.min(size, 4096 - Number(linear & 0xfffn));
    let second = 0n;
    if (inFirst < size) {
      // If the second page faults, the first must not have been marked as accessed: look at it first, and walk it last.
      if (this.#core.page_walk(base, linear, access | WalkAccess.PROBE) !== -1n) {
        // Addresses below 4 GiB wrap outside 64-bit mode; system structures of long mode lie anywhere, whatever the code is.
        const wraps = linear <= 0xffff_ffffn && (this.#state.u32("mode") & Mode.CODE_SIZE_MASK) !== Mode.CODE64;
        const next = linear + BigInt(inFirst);
        second = this.#core.page_walk(base, wraps ? next & 0xffff_ffffn : BigInt.asIntN(64, next), access);
        if (second === -1n) return this.#fault();
      }
    }
    const first = this.#core.page_walk(base, linear, access);
    return first === -1n ? this.#fault() : { first, second, inFirst };
  }

  #fault(): Fault {
    const code = this.#state.u32("exitErrorCode");
    return new Fault(this.#state.u32("exitVector"), code === NO_ERROR_CODE ? undefined : code, {
      cr2: this.#state.u64("exitAddress"),
    });
  }
}

function accessOf({ user, implicit }: Privilege): number {
  return (user ? WalkAccess.USER : 0) | (implicit ? WalkAccess.IMPLICIT : 0);
}
