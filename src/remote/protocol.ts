import type { MachineHosting } from "../api/machine.ts";
import type { WireError } from "../errors.ts";
import type { Controller, PortName } from "../session/controller.ts";
import type { SessionConfig } from "../session/session.ts";

/** Methods of a machine that are called from the other thread. */
export type Method = Exclude<keyof Controller, "hosting">;

export type DiskOperation =
  | { readonly kind: "read"; readonly sector: number; readonly byteLength: number }
  | { readonly kind: "write"; readonly sector: number; readonly bytes: Uint8Array }
  | { readonly kind: "writeZeroes"; readonly sector: number; readonly count: number }
  | { readonly kind: "flush" };

export type ToMachine =
  | { readonly kind: "open"; readonly id: number; readonly config: SessionConfig }
  | { readonly kind: "call"; readonly id: number; readonly method: Method; readonly args: readonly unknown[] }
  | { readonly kind: "diskAnswer"; readonly id: number; readonly bytes?: Uint8Array; readonly error?: WireError };

export type FromMachine =
  | { readonly kind: "result"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly error: WireError }
  | { readonly kind: "output"; readonly port: PortName; readonly bytes: Uint8Array }
  | { readonly kind: "diskError" | "translationError"; readonly error: WireError }
  | { readonly kind: "diskRequest"; readonly id: number; readonly disk: number; readonly operation: DiskOperation };

export interface OpenResult {
  readonly hosting: MachineHosting;
}
