import type { Fault } from "./fault.ts";

/** What a change of paging state makes stale; SDM Vol. 3A, 4.10.4. */
export type FlushScope =
  /** everything, global pages too */
  | { readonly kind: "all" }
  /** every address space's pages but the global ones */
  | { readonly kind: "nonGlobal" }
  /** one linear page of the current address space, global or not */
  | { readonly kind: "page"; readonly linear: bigint }
  /** one linear page of an address space that need not be the current one (INVPCID) */
  | { readonly kind: "pcidPage"; readonly pcid: number; readonly linear: bigint }
  /** the non-global pages of one address space */
  | { readonly kind: "pcid"; readonly pcid: number };

/** The I/O ports. A machine without devices may ask to leave generated code instead of answering. */
export interface PortBus {
  read(port: number, size: 1 | 2 | 4): number | "exit";
  write(port: number, size: 1 | 2 | 4, value: number): undefined | "exit";
}

/** Model-specific registers that belong to devices: local APIC, x2APIC, kvm-clock. `undefined` = no such register. */
export interface MsrExtension {
  read(msr: number): bigint | Fault | undefined;
  write(msr: number, value: bigint): "done" | Fault | undefined;
  /** the guest has moved its time-stamp counter: guestState.tscOffset is another */
  tscMoved?(): void;
}

/** What the processor's TypeScript side asks of the rest of the machine. */
export interface CpuHooks {
  flushTlb(scope: FlushScope): void;
  /** CR3 was loaded. `keep` = its bit 63 was set with PCIDs enabled: what the TLB holds for the new PCID may stay */
  addressSpaceChanged(keep: boolean): void;
  /** guestState.mode, or something else that decoded code depends on, has changed */
  modeChanged(): void;
  /** CPL, RFLAGS.AC, CR0.WP or CR4.SMEP/SMAP changed: choose the TLB bank again */
  privilegeChanged(): void;
  /** DR0..DR3 or DR7 changed: which pages hold data breakpoints, whether code breakpoints are armed */
  debugChanged(): void;
  /** guest time-stamp counter, without guestState.tscOffset: a whole number below 2^53 */
  readTsc(): number;
  random64(): bigint;
  readonly ports: PortBus;
  readonly msrs: MsrExtension;
  /** CR8 was written: the local APIC's task priority is now `priority`, 0..15 */
  taskPriorityChanged(priority: number): void;
}

/** Hooks of a processor alone: no devices, a clock that counts its readings. For tests and the bare machine. */
export function isolatedHooks(overrides: Partial<CpuHooks> = {}): CpuHooks {
  let tsc = 0;
  let seed = 0x9e37_79b9_7f4a_7c15n;
  return {
    flushTlb: () => {},
    addressSpaceChanged: () => {},
    modeChanged: () => {},
    privilegeChanged: () => {},
    debugChanged: () => {},
    readTsc: () => (tsc += 100),
    // Deterministic on purpose: tests must see the same numbers twice. xorshift64.
    random64: () => {
      seed ^= BigInt.asUintN(64, seed << 13n);
      seed ^= seed >> 7n;
      seed ^= BigInt.asUintN(64, seed << 17n);
      return seed;
    },
    ports: { read: () => "exit", write: () => "exit" },
    msrs: { read: () => undefined, write: () => undefined },
    taskPriorityChanged: () => {},
    ...overrides,
  };
}
