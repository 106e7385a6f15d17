import { describe, expect, it } from "vitest";
import wabt from "wabt";
import { disassemble } from "../../jit/isa/format.ts";
import { RegionTranslator } from "../../jit/translator/translator.ts";
import { FEATURES } from "../../runtime/abi/features.ts";
import { REGIONS, TARGETS } from "./regions.ts";

const features = new Set(FEATURES);
const translator = new RegionTranslator({ features });

/** The golden file of a region: what it costs, the guest code, and the WebAssembly that it became. */
async function goldenText(name: string): Promise<string> {
  const code = REGIONS[name] ?? [];
  const page = new Uint8Array(4096).fill(0xf4);
  page.set(code);
  const source = { pages: [{ distance: 0, start: 0, bytes: page }], targets: TARGETS[name] ?? new Map<number, readonly number[]>() };
  const compiled = translator.compile(source, 0);
  if (!compiled) throw new Error("not translated");
  const binary = compiled.module.binary();
  const toolkit = await wabt();
  const wasm = toolkit.readWasm(binary, { readDebugNames: true, threads: true, simd: true, tail_call: true, bulk_memory: true });
  wasm.generateNames();
  wasm.applyNames();
  const text = wasm.toText({ foldExprs: false, inlineExport: false });
  wasm.destroy();
  const lines = text.split("\n");
  const locals = lines.filter((line) => line.trim().startsWith("(local")).flatMap((line) => line.match(/\$\w+/g) ?? []).length;
  const nodes = lines.filter((line) => /^ {4,}[a-z]/.test(line) && !/^ *(end|else)\b/.test(line)).length;
  const guest = [...disassemble(Uint8Array.from(code), 64, 0n, features)].map(
    ({ address, text: instruction }) => `;; ${address.toString(16).padStart(3, "0")}  ${instruction}`,
  );
  return [`;; ${nodes} nodes, ${locals} locals, ${binary.length} bytes`, ";;", ...guest, "", text].join("\n");
}

describe("translated regions", () => {
  it.each(Object.keys(REGIONS))("%s", async (name) => {
    await expect(await goldenText(name)).toMatchFileSnapshot(`${name}.wat`);
  });
});
