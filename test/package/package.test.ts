import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { publintMessages, typesReport } from "../../src/package/lint.ts";
import { findProcessRuntimes } from "../embedding/runtimes.ts";
import { type EmptyProject, emptyProject, PACKING_MS } from "./packed.ts";

const runtimes = findProcessRuntimes();
for (const { name, version, missing } of runtimes)
  if (version === undefined) console.log(`not run: the command in ${name}: ${missing} (npm run setup brings it in)`);

let project: EmptyProject;

beforeAll(async () => {
  project = await emptyProject();
}, PACKING_MS);
afterAll(() => project?.remove());

/** For one test, on a machine that has much else to do. */
const TEST_MS = 180_000;

describe("the packed package", { timeout: TEST_MS }, () => {
  it("is small, holds nothing but dist/ and the usual files, and needs no other package", async () => {
    const { size, unpackedSize, files } = project.packed;
    console.log(
      `${files.length} files, ${(size / 1e6).toFixed(2)} MB packed, ${(unpackedSize / 1e6).toFixed(2)} MB unpacked`,
    );
    expect(files.filter((file) => !/^dist\/(node|browser|types)\//.test(file)).toSorted()).toEqual([
      "LICENSE",
      "README.md",
      "package.json",
    ]);
    expect(size).toBeLessThan(2_000_000);
    const installed = await readdir(join(project.directory, "node_modules"));
    expect(installed.filter((name) => !name.startsWith("."))).toEqual(["umbra"]);
  });

  it("has nothing that publint objects to", async () => {
    expect(await publintMessages(project.packed.tarball)).toEqual([]);
  });

  it("has types that every way of resolving modules finds", async () => {
    const { isFine, text } = await typesReport(project.packed.tarball);
    expect(isFine, text).toBe(true);
  });

  it("runs in Node.js", async () => {
    await project.write(
      "bare.js",
      `import { createBareMachine } from "umbra";
const machine = await createBareMachine({ memoryBytes: 64 << 20, mode: "long", engine: "tiered" });
machine.write(0x10_0000n, Uint8Array.of(0xb8, 6, 0, 0, 0, 0x6b, 0xc0, 7, 0xf4));
machine.setState({ rip: 0x10_0000n });
console.log(machine.run({ maxInstructions: 1_000_000 }).reason, machine.getState().rax);`,
    );
    expect(await project.run(process.execPath, ["bare.js"])).toBe("halt 42n\n");
  });

  it("has types that an empty project compiles with", async () => {
    await project.write(
      "bare.ts",
      `import { createBareMachine, VmError, type BareExit } from "umbra";
const machine = await createBareMachine({ memoryBytes: 64 << 20, mode: "long", engine: "interpreter" });
const exit: BareExit = machine.run({ maxInstructions: 1 });
// @ts-expect-error there is no such option
await createBareMachine({ memory: 1 });
export { exit, VmError };`,
    );
    const tsc = join(import.meta.dirname, "../../node_modules/typescript/bin/tsc");
    // lib.dom has no types of Node.js, which a page does not have either.
    const flags = ["--strict", "--noEmit", "--module", "nodenext", "--target", "esnext", "--types", ""];
    expect(
      await project
        .run(process.execPath, [tsc, ...flags, "bare.ts"])
        .catch((error: { stdout: string }) => error.stdout),
    ).toBe("");
  });

  it("has a command that works", async () => {
    const umbra = join(project.directory, "node_modules/umbra/dist/node/umbra.js");
    expect(await project.run(process.execPath, [umbra, "--version"])).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(await project.run(process.execPath, [umbra, "disasm", "--help"])).toContain("Usage: umbra disasm");
    // As a shell finds it, on whatever Node.js there is.
    const found = await stat(join(project.directory, "node_modules/.bin/umbra"));
    expect(found.mode & 0o111).toBe(0o111);
  });

  it.each(runtimes.filter(({ version }) => version !== undefined))(
    "has a command that starts in $name $version, and refuses there what it refuses everywhere",
    async ({ program, args }) => {
      const umbra = (...rest: string[]): Promise<string> =>
        project.run(program, [...args, join(project.directory, "node_modules/umbra/dist/node/umbra.js"), ...rest]);
      expect(await umbra("--version")).toMatch(/^\d+\.\d+\.\d+\n$/);
      expect(await umbra("--help")).toContain("Usage: umbra COMMAND");
      await expect(umbra("run", "--memory", "little")).rejects.toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^umbra: --memory: "little" is not a size.*\n$/),
      });
      await expect(umbra("run", "--nothing")).rejects.toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^umbra: unknown option '--nothing'.*\n$/),
      });
    },
  );
});
