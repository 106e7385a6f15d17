import type { EntryOptions } from "../runtime/code/block-cache.ts";
import { ENTRY_HANDLERS, type Translator } from "../runtime/abi/translator.ts";
import type { Feature } from "../runtime/abi/features.ts";
import type { CoreManifest } from "../jit/interpreter/core.ts";
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

/** Blocks that are translated together: a module costs an engine as much as twenty functions in it. */
const BATCH = 16;

export type Translation = EntryOptions & { readonly translator: Translator };

/** @throws {VmError} ERR_CONFIG for an engine that there is not */
export function checkEngine(engine: string): asserts engine is Engine {
  if (!(ENGINES as readonly string[]).includes(engine)) {
    throw new VmError("ERR_CONFIG", `engine is "${engine}", expected "interpreter", "translator" or "tiered"`);
  }
}

/**
 * What a processor needs to translate; undefined for the interpreter alone. The compiler is loaded here: only who wants it waits.
 *
 * @param hotAfter times that a block runs under "tiered" before it is translated
 */
export async function loadTranslation(
  engine: Engine,
  manifest: CoreManifest,
  features: ReadonlySet<Feature>,
  hotAfter: number = COUNTDOWN.tiered,
): Promise<Translation | undefined> {
  if (engine === "interpreter") return undefined;
  const { RegionTranslator } = await import("../jit/translator/translator.ts");
  const isTiered = engine === "tiered";
  return {
    translator: new RegionTranslator({ features }),
    firstHandler: manifest.handlers[ENTRY_HANDLERS[0]] ?? 0,
    countdown: isTiered ? hotAfter : COUNTDOWN.translator,
    batch: isTiered ? BATCH : 1,
    followsProfile: isTiered,
  };
}
