import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A built image, or the reason why this host cannot build one. */
export type Built = { readonly path: string } | { readonly reason: string };

/** Makes a folder for images; the caller removes it. */
export function imageFolder(): string {
  return mkdtempSync(join(tmpdir(), "umbra-bare-metal-"));
}

/**
 * Assembles and links a Multiboot image from `test/boot/bare-metal`.
 *
 * @param wide with WIDE defined, as 64-bit code that ends up in the 32-bit container
 * @throws {Error} when an assembler for this architecture refuses the source
 */
export function buildImage(folder: string, source: string, wide = false): Built {
  const file = fileURLToPath(new URL(`../bare-metal/${source}`, import.meta.url));
  const name = join(folder, `${source}${wide ? "-wide" : ""}`);
  const [object, linked, path] = [`${name}.o`, `${name}.linked`, `${name}.elf`];
  // -N: one segment without page alignment, so that the header stays in the first 8 KiB of the file.
  const link = ["-N", "-Ttext=0x100000", "-e", "start", object, "-o", linked];
  const commands: readonly (readonly [string, ...string[]])[] = [
    ["gcc", ...(wide ? ["-m64", "-DWIDE"] : ["-m32"]), "-c", file, "-o", object],
    ["ld", "-m", wide ? "elf_x86_64" : "elf_i386", ...link],
    ["objcopy", "-O", "elf32-i386", linked, path],
  ];
  for (const [program, ...rest] of commands) {
    const { error, status, stderr } = spawnSync(program, rest, { encoding: "utf8" });
    if (error) return { reason: `${program} does not run here: ${error.message}` };
    // An assembler for another architecture is no fault of ours.
    if (status !== 0 && process.arch === "x64") throw new Error(`${program}: ${stderr}`);
    if (status !== 0) return { reason: `${program} does not build for x86` };
  }
  return { path };
}
