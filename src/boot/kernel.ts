import { BootError } from "../../runtime/boot/boot-error.ts";
import { loadKernelImage } from "../../runtime/boot/detect.ts";
import type { GuestMemory, LoadedImage } from "../../runtime/boot/loaded-image.ts";
import type { MultibootOptions } from "../../runtime/boot/multiboot.ts";
import { VmError } from "../errors.ts";

/**
 * Puts a kernel of any known format into a machine's memory.
 *
 * @param name what messages call the file
 * @throws {VmError} ERR_KERNEL_FORMAT, ERR_KERNEL_PLACEMENT, ERR_INITRD, ERR_COMMAND_LINE
 */
export function loadKernel(
  memory: GuestMemory,
  name: string,
  image: Uint8Array,
  options: MultibootOptions,
): LoadedImage {
  try {
    return loadKernelImage(memory, image, options);
  } catch (cause) {
    if (!(cause instanceof BootError)) throw cause;
    throw new VmError(cause.code, `${name}: ${cause.message}`, { cause });
  }
}
