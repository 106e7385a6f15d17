import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { busyboxInitramfs } from "../../src/boot/busybox-initramfs.ts";
import { fetchDebian } from "../../src/boot/debian.ts";

// The examples of docs/embedding.md, as they stand there, but for where the package and busybox are.

const DOCUMENT = fileURLToPath(new URL("../../docs/embedding.md", import.meta.url));
const PACKAGE = new URL("../../src/index.ts", import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), "umbra-examples-"));
let busybox = "";

const examples = new Map(
  [...readFileSync(DOCUMENT, "utf8").matchAll(/```js\n\/\/ Example (\d+)\n([^]*?)```/g)].map(
    ([, number = "", source = ""]) => [Number(number), source],
  ),
);

function runExample(number: number): string {
  const source = (examples.get(number) ?? "")
    .replace('from "umbra"', `from ${JSON.stringify(PACKAGE)}`)
    .replaceAll('"/bin/busybox"', JSON.stringify(busybox));
  const file = join(folder, `example-${number}.mjs`);
  writeFileSync(file, source);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
    cwd: folder,
    encoding: "utf8",
    timeout: 170_000,
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout;
}

beforeAll(async () => {
  const debian = await fetchDebian();
  busybox = debian.busybox.path;
  symlinkSync(debian.kernel.path, join(folder, "bzImage"));
  writeFileSync(
    join(folder, "initrd.img"),
    busyboxInitramfs({ busybox: readFileSync(busybox), script: "echo the guest is up" }),
  );
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe("the examples of docs/embedding.md", { timeout: 180_000 }, () => {
  it("are numbered", () => expect([...examples.keys()]).toEqual([1, 2, 3, 4, 5, 6]));

  it("run a program", () => expect(runExample(1)).toBe("3 hello from a guest\nforty-two\n\n"));

  it("boot a PC", () => {
    const output = runExample(2);
    expect(output).toContain("the guest is up");
    expect(output).toContain("ended: power-off");
  });

  it("look into a machine that runs", () =>
    expect(runExample(3)).toMatch(/^bigint (true|false) 16 true 536870912\n\{ reason: 'stopped' \}\n$/));

  it("catch an error", () => expect(runExample(4)).toMatch(/^ERR_KERNEL_FORMAT noise\.bin/));

  it("write instructions as text", () =>
    expect(runExample(6)).toMatch(
      /^0 mov rax, qword ptr \[rax\+rcx\*8\+0x10\]\n5 rep movs byte ptr es:\[rdi\], byte ptr \[rsi\]\n7 ret\n8 truncated\n\n$/,
    ));

  it("run a processor alone", () => expect(runExample(5)).toBe("halt 42n\n"));
});
