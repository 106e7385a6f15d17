import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { busyboxInitramfs } from "../../src/boot/busybox-initramfs.ts";
import { fetchDebian } from "../../src/boot/debian.ts";
import { EXPECTED_STEPS, SCRIPT, type ScenarioResult } from "./scenario.ts";

const ENTRY = fileURLToPath(new URL("entry.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "umbra-embedding-"));
const initrd = join(folder, "initrd.img");
let kernel = "";
let busybox = "";

beforeAll(async () => {
  const debian = await fetchDebian();
  kernel = debian.kernel.path;
  busybox = debian.busybox.path;
  writeFileSync(initrd, busyboxInitramfs({ busybox: readFileSync(busybox), script: SCRIPT }));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe("the embedding scenario in Node.js", () => {
  it.each([["worker"], ["same-thread"]] as const)(
    "runs with the machine in: %s",
    (thread) => {
      const run = spawnSync(process.execPath, [ENTRY, kernel, initrd, busybox, thread], {
        encoding: "utf8",
        timeout: 580_000,
      });
      expect(run.stderr).toBe("");
      const { hosting, steps } = JSON.parse(run.stdout) as ScenarioResult;
      expect(steps).toEqual(EXPECTED_STEPS);
      expect(hosting).toEqual({ thread, translation: "worker" });
    },
    600_000,
  );
});
