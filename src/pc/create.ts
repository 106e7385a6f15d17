import { MemoryMap } from "../../runtime/abi/memory-map.ts";
import { CpuModel } from "../../runtime/cpu/cpuid.ts";
import { checkEngine, loadTranslation } from "../engine.ts";
import { VmError } from "../errors.ts";
import { loadCore } from "../host/core.ts";
import { checkDisks } from "./check-disks.ts";
import { checkMemory, type PcOptions, type PcToolOptions } from "./options.ts";
import { Pc } from "./pc.ts";

const MIB = 1 << 20;
const WASM_PAGE = 0x1_0000;
/**
 * Times that a block runs before it is translated. Translating one takes as long as the interpreter takes for some 25,000 runs more than
 * translated code does. A boot of Debian's kernel translates 1,050 regions with 10,000 and takes 6.3 s of processor time to init; with
 * 20,000 it is 5.8, with 40,000 5.6, but more of that on the guest's own thread. Long computations do not notice.
 */
const HOT_AFTER = 20_000;
/** Entries into a region before it is translated anew, wider. */
const WIDE_AFTER = 100_000;
/**
 * Instructions after which a translated batch is installed where the clock counts instructions. Interrupts come at ends of blocks,
 * which are others in translated code, so it must be the same moment in every run; a worker is usually done by then.
 */
const TRANSLATION_LATENCY = 5_000_000;

/**
 * Makes a PC in this thread and puts a kernel into it; `run` starts it.
 *
 * @throws {VmError} ERR_CONFIG, ERR_MEMORY_SIZE, ERR_KERNEL_FORMAT, ERR_KERNEL_PLACEMENT, ERR_INITRD, ERR_COMMAND_LINE
 */
export function createPc(options: PcOptions): Promise<Pc> {
  return createPcWith(options, {});
}

/** The same, with a say in when and where code is translated, and in how time passes: for tests and tools. */
export async function createPcWith(
  options: PcOptions,
  { lockstepSlice, core: given, ...load }: PcToolOptions,
): Promise<Pc> {
  const memoryBytes = checkMemory(options);
  checkDisks(options);
  const core = given ?? (await loadCore());
  const pages = (MemoryMap.RAM + memoryBytes) / WASM_PAGE;
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (cause) {
    throw new VmError("ERR_MEMORY_SIZE", `the host cannot provide ${memoryBytes / MIB} MiB of guest memory`, { cause });
  }
  const engine = options.engine ?? "interpreter";
  checkEngine(engine);
  const model = new CpuModel({ kvmClock: true, ...options.cpu });
  const translation = await loadTranslation(engine, core.manifest, model.decoderFeatures(), {
    hotAfter: HOT_AFTER,
    widenAfter: WIDE_AFTER,
    place: options.translation ?? "worker",
    codeCacheBytes: options.codeCacheBytes,
    namesRegions: options.perfMap,
    onFailure: (failure, isDead) => options.onTranslationError?.(translationError(failure, isDead)),
    ...(options.clock === "instructions" && { latency: TRANSLATION_LATENCY }),
    ...load,
  });
  try {
    return new Pc(options, { memoryBytes, memory, core, model, translation, lockstepSlice });
  } catch (cause) {
    translation?.service.close();
    throw cause;
  }
}

/** @param failure the first line says what it was; the rest is where */
function translationError(failure: string, isDead: boolean): VmError {
  const [reason = ""] = failure.split("\n", 1);
  return isDead
    ? new VmError(
        "ERR_WORKER",
        `the translator's worker has failed, and the guest goes on in the interpreter: ${reason}`,
      )
    : new VmError(
        "ERR_INTERNAL",
        `translation failed, and some of the guest's code is left to the interpreter: ${reason}`,
      );
}
