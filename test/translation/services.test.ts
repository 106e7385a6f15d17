import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { FEATURES } from "../../runtime/abi/features.ts";
import { Mode } from "../../runtime/abi/guest-state.ts";
import { MemoryMap } from "../../runtime/abi/memory-map.ts";
import type { TranslateRequest } from "../../runtime/abi/translator.ts";
import { RegionTranslator } from "../../jit/translator/translator.ts";
import { startTranslatorWorker } from "../../src/host/node/worker.ts";
import { SlicedTranslation } from "../../src/translation/same-thread.ts";
import { translateBatch } from "../../src/translation/compile.ts";
import { type WorkerEvents, WorkerTranslation } from "../../src/translation/worker.ts";
import { COUNT_UP } from "./support.ts";

const features = new Set(FEATURES);

function request(): TranslateRequest {
  const page = new Uint8Array(4096);
  page.set(COUNT_UP, 0x100);
  const pages = [{ distance: 0, start: MemoryMap.RAM + 0x1000, bytes: page }];
  return { pages, start: MemoryMap.RAM + 0x1100, mode: Mode.CODE64, blocks: new Set([0x100]) };
}

describe("the translator's worker", () => {
  function open(): WorkerTranslation {
    const service = new WorkerTranslation(startTranslatorWorker(), features);
    onTestFinished(() => service.close());
    return service;
  }

  it("gives compiled modules, in the order of the requests", async () => {
    const service = open();
    service.submit([request()]);
    service.submit([request(), { ...request(), start: MemoryMap.RAM + 0x1107 }]);
    await service.ready();
    const first = service.take();
    expect(first?.module).toBeInstanceOf(WebAssembly.Module);
    const same = translateBatch(new RegionTranslator({ features }), [request()]);
    expect(first?.regions).toEqual(same.regions);
    expect(first?.wasmBytes).toBe(same.wasmBytes);
    await service.ready();
    const second = service.take();
    // HLT is the interpreter's.
    expect(second?.regions.map((region) => region !== undefined)).toEqual([true, false]);
    expect(service.take()).toBeUndefined();
  });

  it("fails what is under way and what comes when it dies", async () => {
    let events: WorkerEvents | undefined;
    const service = new WorkerTranslation((given) => {
      events = given;
      return { post: () => undefined, keepAlive: () => undefined, terminate: () => undefined };
    }, features);
    expect(service.submit([request()])).toBeUndefined();
    const ready = service.ready();
    events?.failed(new Error("out of memory"));
    await ready;
    expect(service.take()?.failure).toContain("out of memory");
    expect(service.submit([request()])?.failure).toContain("out of memory");
  });

  /** Runs a program that has nothing else to wait for. */
  async function runAlone(body: string): Promise<{ readonly code: unknown; readonly output: string }> {
    const path = (name: string): string => fileURLToPath(new URL(`../../src/${name}`, import.meta.url));
    const script = `
      const { WorkerTranslation } = await import(${JSON.stringify(path("translation/worker.ts"))});
      const { startTranslatorWorker } = await import(${JSON.stringify(path("host/node/worker.ts"))});
      ${body}
      console.log("end of program");`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { timeout: 50_000 });
    let output = "";
    child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()));
    child.stderr.on("data", (bytes: Buffer) => (output += bytes.toString()));
    const code = await new Promise((resolve) => child.on("close", resolve));
    return { code, output };
  }

  it("keeps no process alive, closed or not", { timeout: 60_000 }, async () => {
    const open = "new WorkerTranslation(startTranslatorWorker(), new Set())";
    expect(await runAlone(`${open}; ${open}.close();`)).toEqual({ code: 0, output: "end of program\n" });
  });

  it("keeps the process alive that waits for it", { timeout: 60_000 }, async () => {
    const body = `
      const service = new WorkerTranslation(startTranslatorWorker(), new Set());
      service.submit([]);
      await service.ready();
      console.log(service.take().regions.length, "regions");`;
    expect(await runAlone(body)).toEqual({ code: 0, output: "0 regions\nend of program\n" });
  });
});

describe("translation on the guest's thread", () => {
  it("does a little each time, or all of it when it must", () => {
    const service = new SlicedTranslation(new RegionTranslator({ features }));
    service.submit(Array.from({ length: 5 }, request));
    expect(service.take(false)).toBeUndefined();
    expect(service.take(false)).toBeUndefined();
    expect(service.take(false)?.regions.length).toBe(5);
    expect(service.take(false)).toBeUndefined();
    service.submit(Array.from({ length: 5 }, request));
    expect(service.take(true)?.regions.length).toBe(5);
  });
});
