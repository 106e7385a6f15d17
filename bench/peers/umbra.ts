import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fetchDebian } from "../../src/boot/debian.ts";
import { buildProgram, INIT_PROGRAM } from "../slowdown/programs.ts";
import type { Engine } from "./engine.ts";
import { COMMAND_LINE, GUEST_MEMORY_MIB, writeGuestImage } from "./guest.ts";

const ROOT = new URL("../../", import.meta.url);

function umbra(kind: "interpreter" | "tiered", about: string, expectedSlowdown: number, expectedStart: number): Engine {
  return {
    name: `umbra-${kind}`,
    about,
    word: 64,
    expectedSlowdown,
    expectedStart,
    async probe() {
      const manifest: { readonly version: string } = JSON.parse(readFileSync(new URL("package.json", ROOT), "utf8"));
      return { usable: true, version: `Umbra ${manifest.version}` };
    },
    async launches(plan) {
      const [{ kernel }, init] = await Promise.all([fetchDebian(), buildProgram(INIT_PROGRAM, 64)]);
      const image = await writeGuestImage(plan, init);
      const program = fileURLToPath(new URL("src/cli/run.ts", ROOT));
      return [
        {
          command: [
            process.execPath,
            program,
            ...["run", "--engine", kind, "--memory", `${GUEST_MEMORY_MIB}M`],
            ...["--kernel", kernel.path, "--initrd", image, "--append", COMMAND_LINE],
          ],
          suites: plan.items.map(({ suite }) => suite),
          kind: "machine",
        },
      ];
    },
  };
}

export const umbraInterpreter: Engine = umbra("interpreter", "Umbra without its translator", 70, 8);
export const umbraTiered: Engine = umbra("tiered", "Umbra: hot code is translated to WebAssembly", 30, 15);
