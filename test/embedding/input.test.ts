import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { busyboxInitramfs } from "../../src/boot/busybox-initramfs.ts";
import { type DebianFiles, fetchDebian } from "../../src/boot/debian.ts";
import { createMachine } from "../../src/index.ts";

const UMBRA = fileURLToPath(new URL("../../src/cli/run.ts", import.meta.url));

let debian: DebianFiles;
beforeAll(async () => {
  debian = await fetchDebian();
}, 120_000);

describe("input that comes before the guest's driver is up", { timeout: 180_000 }, () => {
  it("waits for the guest, all of it", async () => {
    const long = "abcdefghij".repeat(30);
    await using machine = await createMachine({
      kernel: readFileSync(debian.kernel.path),
      initrd: busyboxInitramfs({
        busybox: readFileSync(debian.busybox.path),
        script: 'read first; read second; echo "got $first and $second"',
      }),
      memoryBytes: 128 << 20,
      commandLine: "console=ttyS0 quiet cryptomgr.notests",
    });
    let output = "";
    machine.serial.onOutput((bytes) => (output += new TextDecoder().decode(bytes)));
    machine.serial.write(`early\n${long}\n`);
    expect((await machine.run()).reason).toBe("power-off");
    expect(output).toContain(`got early and ${long}\r\n`);
  });

  it("arrives when it is piped into umbra run", () => {
    const { status, stdout } = spawnSync(process.execPath, [UMBRA, "run", "--memory", "128M"], {
      encoding: "utf8",
      input: "echo forty-$((1 + 1))\nexit\n",
      timeout: 170_000,
    });
    expect(status).toBe(0);
    expect(stdout).toContain("\r\nforty-2\r\n");
  });
});
