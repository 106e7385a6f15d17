import { VmError } from "../../src/errors.ts";
import { anyContainer, CONTAINERS } from "./container.ts";
import type { Engine } from "./engine.ts";
import { native, native32, qemuUser } from "./native.ts";
import { kvm, qemuSystem } from "./qemu-system.ts";
import { umbraInterpreter, umbraTiered } from "./umbra.ts";
import { v86 } from "./v86.ts";

/** What runs unless --engine says otherwise, in the order of the tables. */
const USUAL: readonly Engine[] = [
  native,
  anyContainer,
  kvm,
  qemuUser,
  qemuSystem,
  native32,
  v86,
  umbraInterpreter,
  umbraTiered,
];

const ALL: readonly Engine[] = [...USUAL, ...CONTAINERS];

export const ENGINE_NAMES: readonly string[] = ALL.map(({ name }) => name);

/** Words for several engines. */
const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  umbra: ["umbra-interpreter", "umbra-tiered"],
  qemu: ["qemu-user", "qemu-system"],
};

/**
 * Reads "umbra,qemu-user": engines, and families of engines. What others are compared with comes along: native, and for an engine of
 * 32-bit programs native32.
 *
 * @throws {VmError} ERR_CONFIG for a name that there is not
 */
export function parseEngines(text: string | undefined): readonly Engine[] {
  if (text === undefined) return USUAL;
  const chosen = new Set<Engine>([native]);
  for (const part of text.split(",").map((name) => name.trim())) {
    for (const name of FAMILIES[part] ?? [part]) {
      const engine = ALL.find((candidate) => candidate.name === name);
      if (engine === undefined) {
        const names = [...ENGINE_NAMES, ...Object.keys(FAMILIES)].join(", ");
        throw new VmError("ERR_CONFIG", `--engine: "${part}" is none of ${names}`);
      }
      if (engine.word === 32) chosen.add(native32);
      chosen.add(engine);
    }
  }
  return ALL.filter((engine) => chosen.has(engine));
}

/** The engine whose results those of another must equal. */
export function referenceOf(engine: Engine): Engine {
  return engine.word === 32 ? native32 : native;
}
