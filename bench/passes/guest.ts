// Runs workloads in a guest whose wide regions go through passes of Binaryen. Takes a GuestTask as its argument, prints a GuestResult.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { optimizedBinary } from "../../jit/emit/module.ts";
import type { TranslatedBatch, Translator, TranslateRequest } from "../../runtime/abi/translator.ts";
import { busyboxInitramfs } from "../../src/boot/busybox-initramfs.ts";
import { fetchDebian } from "../../src/boot/debian.ts";
import { createPcWith } from "../../src/pc/create.ts";
import { parseLine } from "../slowdown/protocol.ts";
import { PROGRAM_ENVIRONMENT } from "../slowdown/measure.ts";
import { type GuestResult, type GuestTask, optimizationOf } from "./protocol.ts";

/** Entries into a region before it becomes wide: sooner than usual, so that the first repetition sees it. */
const WIDE_AFTER = 10_000;

const { passes, programs, folder } = JSON.parse(process.argv[2] ?? "{}") as GuestTask;
const how = optimizationOf(passes);
const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

let [regions, instructions, bytesBefore, bytesAfter, binaryenMs] = [0, 0, 0, 0, 0];

/** A translator whose modules with wide regions go through the passes. */
function withPasses(inner: Translator): Translator {
  const finish = (batch: TranslatedBatch, isWide: boolean): TranslatedBatch => {
    const [region] = batch.regions;
    if (!isWide || !region) return batch;
    const before = cpuMs();
    const binary = how ? optimizedBinary(batch.binary, how) : batch.binary;
    binaryenMs += cpuMs() - before;
    writeFileSync(join(folder, `${regions++}.wasm`), binary);
    instructions += region.instructions;
    bytesBefore += batch.binary.length;
    bytesAfter += binary.length;
    return { ...batch, binary };
  };
  return {
    begin() {
      const builder = inner.begin();
      let isWide = false;
      return {
        add(request: TranslateRequest & { readonly isWide?: boolean }) {
          isWide ||= request.isWide === true;
          builder.add(request);
        },
        finish: () => finish(builder.finish(), isWide),
      };
    },
  };
}

const { kernel, busybox } = await fetchDebian();
const environment = Object.entries(PROGRAM_ENVIRONMENT).map(([name, value]) => `export ${name}=${value}`);
const initrd = busyboxInitramfs({
  busybox: readFileSync(busybox.path),
  script: [...environment, ...programs.map(({ name, args }) => `/bin/${name} ${args.join(" ")}`)].join("\n"),
  extra: programs.map(({ name, path }) => ({
    ...{ kind: "file", path: `bin/${name}`, mode: 0o755 },
    ...{ bytes: readFileSync(path) },
  })),
});

const seconds: Record<string, number> = {};
const problems: string[] = [];
let [text, begun] = ["", 0];
const decoder = new TextDecoder();
const machine = await createPcWith(
  {
    kernel: readFileSync(kernel.path),
    initrd,
    commandLine: "console=ttyS0 cryptomgr.notests quiet",
    engine: "tiered",
    // Every candidate gets the same regions.
    clock: "instructions",
    onSerial(bytes) {
      text += decoder.decode(bytes, { stream: true });
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) note(parseLine(line));
    },
  },
  { widenAfter: WIDE_AFTER, batch: 1, wrapTranslator: withPasses },
);

function note(message: ReturnType<typeof parseLine>): void {
  if (message?.kind === "begin") begun = cpuMs();
  else if (message?.kind === "end")
    seconds[message.workload] = Math.min(seconds[message.workload] ?? Infinity, (cpuMs() - begun) / 1000);
  else if (message?.kind === "fail") problems.push(message.why);
}

await machine.run();
const { translation } = machine.stats();
if (translation?.failure !== undefined) problems.push(translation.failure);
if (problems.length > 0) throw new Error(problems.join("; "));
const result: GuestResult = { seconds, regions, instructions, bytesBefore, bytesAfter, binaryenMs };
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit());
