import { buildAcpiTables, writeAcpiTables } from "../../runtime/boot/acpi.ts";
import type { GuestMemory as BootMemory, LoadedImage } from "../../runtime/boot/loaded-image.ts";
import { pcMemoryMap } from "../../runtime/boot/memory-ranges.ts";
import { resetCpu } from "../../runtime/cpu/cpu.ts";
import type { Processor } from "../../runtime/cpu/processor.ts";
import { StateAccess } from "../bare-state.ts";
import { loadKernel } from "../boot/kernel.ts";
import type { PcOptions } from "./options.ts";

/**
 * Puts the kernel, and what it is handed, into the memory of a machine, and the processor at its entry.
 *
 * @throws {VmError} ERR_KERNEL_FORMAT, ERR_KERNEL_PLACEMENT, ERR_INITRD, ERR_COMMAND_LINE
 */
export function loadGuest(
  { kernel, kernelName = "kernel", initrd, commandLine }: PcOptions,
  processor: Processor,
  ram: Uint8Array,
): void {
  const memory: BootMemory = { write: (gpa, bytes) => ram.set(bytes, gpa) };
  const image: LoadedImage = loadKernel(memory, kernelName, kernel, {
    memoryMap: pcMemoryMap(ram.length),
    rsdp: writeAcpiTables(memory, buildAcpiTables()),
    ...(initrd && { initrd }),
    ...(commandLine !== undefined && { commandLine }),
  });
  const { cpu } = processor;
  resetCpu(cpu);
  const access = new StateAccess(cpu.state, ram.buffer);
  const { cs, es, ss, ds, fs, gs, ldtr, tr, ...rest } = image.entry;
  for (const [name, value] of Object.entries({ cs, es, ss, ds, fs, gs, ldtr, tr, ...rest })) access.set(name, value);
  processor.stateChanged(true);
}
