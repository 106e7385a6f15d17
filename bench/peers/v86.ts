import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildProgram, INIT_PROGRAM } from "../slowdown/programs.ts";
import { fetchI386Kernel } from "./debian-i386.ts";
import { type Availability, type Engine, WITHOUT_32_BIT } from "./engine.ts";
import { COMMAND_LINE, GUEST_MEMORY_MIB, writeGuestImage } from "./guest.ts";

/** The npm package brings no firmware; Debian's SeaBIOS is what it is usually run with. */
const BIOS = "/usr/share/seabios/bios.bin";
const VGA_BIOS = "/usr/share/seabios/vgabios-stdvga.bin";

function installedVersion(): string | undefined {
  try {
    const manifest = fileURLToPath(new URL("../package.json", import.meta.resolve("v86")));
    return (JSON.parse(readFileSync(manifest, "utf8")) as { readonly version: string }).version;
  } catch {
    return undefined;
  }
}

/** v86: a 32-bit PC in JavaScript and WebAssembly, with a translator of its own. */
export const v86: Engine = {
  name: "v86",
  about: "v86: a 32-bit PC on WebAssembly; runs the 32-bit build on a 32-bit kernel",
  word: 32,
  expectedSlowdown: 60,
  expectedStart: 35,
  cannotRun: WITHOUT_32_BIT,
  async probe(): Promise<Availability> {
    const version = installedVersion();
    if (version === undefined) {
      return { usable: false, reason: "the npm package v86 is not installed", install: "npm ci" };
    }
    if (!existsSync(BIOS) || !existsSync(VGA_BIOS)) {
      return { usable: false, reason: `v86 needs a BIOS: there is no ${BIOS}`, install: "apt-get install seabios" };
    }
    try {
      const kernel = await fetchI386Kernel();
      await buildProgram(INIT_PROGRAM, 32);
      return { usable: true, version: `v86 ${version}, kernel ${kernel.version}` };
    } catch (error) {
      return {
        usable: false,
        reason: error instanceof Error ? error.message : String(error),
        install: "apt-get install gcc-multilib gfortran-multilib, and a network for Debian's 32-bit kernel",
      };
    }
  },
  async launches(plan) {
    const [kernel, init] = await Promise.all([fetchI386Kernel(), buildProgram(INIT_PROGRAM, 32)]);
    const image = await writeGuestImage(plan, init);
    const runner = fileURLToPath(new URL("v86-runner.ts", import.meta.url));
    return [
      {
        command: [
          process.execPath,
          runner,
          ...[BIOS, VGA_BIOS, kernel.path, image, String(GUEST_MEMORY_MIB), COMMAND_LINE],
        ],
        suites: plan.items.map(({ suite }) => suite),
        kind: "machine",
      },
    ];
  },
};
