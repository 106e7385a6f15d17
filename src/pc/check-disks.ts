import { MAXIMUM_DISKS } from "../../runtime/virtio/virtio-devices.ts";
import { VmError } from "../errors.ts";
import type { PcOptions } from "./options.ts";

/** @throws {VmError} ERR_CONFIG */
export function checkDisks({ disks = [], clock }: Pick<PcOptions, "disks" | "clock">): void {
  if (disks.length > MAXIMUM_DISKS)
    throw new VmError("ERR_CONFIG", `there are ${disks.length} disks, expected at most ${MAXIMUM_DISKS}`);
  const slow = clock === "instructions" ? disks.findIndex(({ synchronous }) => !synchronous) : -1;
  if (slow < 0) return;
  throw new VmError(
    "ERR_CONFIG",
    `disk ${slow} answers when the host likes, expected one that answers at once where the clock counts instructions`,
  );
}
