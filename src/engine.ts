import type { TranslationOptions } from "../runtime/code/translation-queue.ts";
import { ENTRY_HANDLERS, type TranslationService, type Translator } from "../runtime/abi/translator.ts";
import type { Feature } from "../runtime/abi/features.ts";
import type { CoreManifest } from "../jit/interpreter/core.ts";
import type { StartWorker } from "./translation/worker.ts";
import { VmError } from "./errors.ts";

/**
 * interpreter   runs everything
 * translator    every block is translated when it first runs; what cannot be translated is interpreted
 * tiered        blocks that have run often are translated
 */
export const ENGINES = ["interpreter", "translator", "tiered"] as const;
export type Engine = (typeof ENGINES)[number];

/** Times that a block runs before it is translated, unless `loadTranslation` is told otherwise. */
const COUNTDOWN: Readonly<Record<Exclude<Engine, "interpreter">, number>> = { translator: 1, tiered: 50 };

/**
 * How many times as many entries as a block's before it is translated, a region takes to be translated anew: entering another region
 * costs some 20 ns, and a wide region some milliseconds.
 */
const WIDENING = 50;
/** Blocks that are translated together: a module costs an engine as much as twenty functions in it. */
const BATCH = 16;
/** Bytes of translated code: from what a batch may take to what a process can have of machine code. */
const MINIMUM_CODE_CACHE = 0x10_0000;
const MAXIMUM_CODE_CACHE = 0x8000_0000;

/**
 * worker        in a thread of its own: the guest never waits
 * same-thread   on the guest's thread, a little at a time; what a host without workers does in any case
 * immediate     on the guest's thread, at once
 */
export type TranslationPlace = "worker" | "same-thread" | "immediate";

/** @throws {VmError} ERR_CONFIG for an engine that there is not */
export function checkEngine(engine: string): asserts engine is Engine {
  if (!(ENGINES as readonly string[]).includes(engine)) {
    throw new VmError("ERR_CONFIG", `engine is "${engine}", expected "interpreter", "translator" or "tiered"`);
  }
}

/** How code is translated: for tests and tools. @internal */
export interface LoadOptions {
  /** times that a block runs under "tiered" before it is translated */
  readonly hotAfter?: number;
  /** entries into a region under "tiered" before it is translated anew, wider; default 50 times hotAfter */
  readonly widenAfter?: number;
  /** blocks that "tiered" translates together: each waits for others */
  readonly batch?: number;
  /** default "immediate"; the engine "translator" and a wrapped translator know no other */
  readonly place?: TranslationPlace | TranslationService;
  /** starts the worker, in place of the host's own way */
  readonly startWorker?: StartWorker;
  /** TranslationOptions.latency */
  readonly latency?: number;
  readonly codeCacheBytes?: number | undefined;
  /** TranslationOptions.onFailure */
  readonly onFailure?: TranslationOptions["onFailure"] | undefined;
  /** TranslatorOptions.namesRegions */
  readonly namesRegions?: boolean | undefined;
  /** what stands before the compiler, on the guest's thread: counts what is translated, or changes it, for tests and tools; a service given as `place` has none */
  readonly wrapTranslator?: ((translator: Translator) => Translator) | undefined;
}

/** What a processor needs to translate; undefined for the interpreter alone. The compiler is loaded only where it is needed. @internal */
export async function loadTranslation(
  engine: Engine,
  manifest: CoreManifest,
  features: ReadonlySet<Feature>,
  options: LoadOptions = {},
): Promise<TranslationOptions | undefined> {
  const {
    hotAfter = COUNTDOWN.tiered,
    batch = BATCH,
    place = "immediate",
    latency,
    codeCacheBytes,
    onFailure,
  } = options;
  if (codeCacheBytes !== undefined && !(codeCacheBytes >= MINIMUM_CODE_CACHE && codeCacheBytes <= MAXIMUM_CODE_CACHE))
    throw new VmError(
      "ERR_CONFIG",
      `codeCacheBytes is ${String(codeCacheBytes)}, expected a number from ${MINIMUM_CODE_CACHE} to ${MAXIMUM_CODE_CACHE}`,
    );
  if (engine === "interpreter") return undefined;
  const isTiered = engine === "tiered";
  const wrap = options.wrapTranslator;
  return {
    service:
      typeof place === "string" ? await loadService(isTiered && !wrap ? place : "immediate", features, options) : place,
    firstHandler: manifest.handlers[ENTRY_HANDLERS[0]] ?? 0,
    countdown: isTiered ? hotAfter : COUNTDOWN.translator,
    batch: isTiered ? batch : 1,
    followsProfile: isTiered,
    widenAfter: options.widenAfter ?? hotAfter * WIDENING,
    ...(latency === undefined ? {} : { latency }),
    ...(onFailure === undefined ? {} : { onFailure }),
    ...(codeCacheBytes === undefined ? {} : { codeCacheBytes }),
  };
}

async function loadService(
  place: TranslationPlace,
  features: ReadonlySet<Feature>,
  { namesRegions, wrapTranslator, startWorker: given }: LoadOptions,
): Promise<TranslationService> {
  if (place === "worker") {
    const { host } = await import("#host");
    const startWorker = given ?? host.startTranslatorWorker(undefined);
    if (startWorker) {
      const { WorkerTranslation } = await import("./translation/worker.ts");
      return new WorkerTranslation(startWorker, features, namesRegions);
    }
  }
  const [{ RegionTranslator }, { ImmediateTranslation, SlicedTranslation }] = await Promise.all([
    import("../jit/translator/translator.ts"),
    import("./translation/same-thread.ts"),
  ]);
  const own = new RegionTranslator({ features, namesRegions });
  const translator = wrapTranslator?.(own) ?? own;
  return place === "immediate" ? new ImmediateTranslation(translator) : new SlicedTranslation(translator);
}
