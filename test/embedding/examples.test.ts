import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { busyboxInitramfs } from "../../src/boot/busybox-initramfs.ts";
import { fetchDebian } from "../../src/boot/debian.ts";
import { politeKernel } from "../package/greeting.ts";
import { type EmptyProject, emptyProject, PACKING_MS } from "../package/packed.ts";

// The examples of README.md and docs/embedding.md, as they stand there but for where busybox is, with the packed package in a project that
// has nothing else.

/** For a boot of Linux, on a machine that has much else to do. */
const EXAMPLE_MS = 180_000;

let project: EmptyProject;
let busybox = "";

const numbered = new Map(
  [...documentText("docs/embedding.md").matchAll(/```js\n\/\/ Example (\d+)\n([^]*?)```/g)].map(
    ([, number = "", source = ""]) => [Number(number), source],
  ),
);
/** Those of the README that use the package, in their order there, with the language that they name. */
const readme = [...documentText("README.md").matchAll(/```(js|ts)\n([^]*?)```/g)]
  .map(([, language = "", source = ""]) => ({ language, source }))
  .filter(({ source }) => source.includes('from "umbra"'));

function documentText(name: string): string {
  return readFileSync(join(import.meta.dirname, "../..", name), "utf8");
}

/** Runs an example as a program of the project, and gives what it prints. */
async function run(name: string, source: string): Promise<string> {
  await project.write(name, source.replaceAll('"/bin/busybox"', JSON.stringify(busybox)));
  return project.run(process.execPath, [name]);
}

beforeAll(async () => {
  const debian = await fetchDebian();
  busybox = debian.busybox.path;
  project = await emptyProject();
  symlinkSync(debian.kernel.path, join(project.directory, "bzImage"));
  writeFileSync(
    join(project.directory, "initrd.img"),
    busyboxInitramfs({ busybox: readFileSync(busybox), script: "echo the guest is up" }),
  );
}, PACKING_MS);
afterAll(() => project?.remove());

describe("the examples of docs/embedding.md", { timeout: EXAMPLE_MS }, () => {
  const runExample = (number: number): Promise<string> => run(`example-${number}.js`, numbered.get(number) ?? "");

  it("are numbered", () => expect([...numbered.keys()]).toEqual([1, 2, 3, 4, 5, 6]));

  it("run a program", async () => expect(await runExample(1)).toBe("3 hello from a guest\nforty-two\n\n"));

  it("boot a PC", async () => {
    const output = await runExample(2);
    expect(output).toContain("the guest is up");
    expect(output).toContain("ended: power-off");
  });

  it("look into a machine that runs", async () =>
    expect(await runExample(3)).toMatch(/^bigint (true|false) 16 true 536870912\n\{ reason: 'stopped' \}\n$/));

  it("catch an error", async () => expect(await runExample(4)).toMatch(/^ERR_KERNEL_FORMAT noise\.bin/));

  it("write instructions as text", async () =>
    expect(await runExample(6)).toMatch(
      /^0 mov rax, qword ptr \[rax\+rcx\*8\+0x10\]\n5 rep movs byte ptr es:\[rdi\], byte ptr \[rsi\]\n7 ret\n8 truncated\n\n$/,
    ));

  it("run a processor alone", async () => expect(await runExample(5)).toBe("halt 42n\n"));
});

describe("the examples of README.md", { timeout: EXAMPLE_MS }, () => {
  const runExample = (index: number): Promise<string> => {
    const { language, source } = readme[index] ?? { language: "js", source: "" };
    return run(`readme-${index}.${language}`, source);
  };

  it("are three", () => expect(readme).toHaveLength(3));

  it("boot a PC", async () => {
    // Debian's kernel has no root to mount there, and waits for one for ever: this one switches the machine off.
    await project.write("polite.bin", politeKernel());
    const { source = "" } = readme[0] ?? {};
    const output = await run("readme-0.js", source.replace('"bzImage"', '"polite.bin"'));
    expect(output).toBe("hi{ reason: 'power-off' }\n");
  });

  it("run a processor alone", async () => expect(await runExample(1)).toBe("halt 42n\n"));

  it("run a program", async () => expect(await runExample(2)).toMatch(/^0 Linux \S+ 6\.\d+.* x86_64 GNU\/Linux\n\n$/));
});
