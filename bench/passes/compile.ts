// Compiles the modules of a folder and says what that took. To be run with COMPILE_FLAGS, which leave everything to TurboFan, at once.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CompileResult } from "./protocol.ts";

const folder = process.argv[2] ?? ".";
const modules = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
const start = process.cpuUsage();
const kept = modules.map((bytes) => new WebAssembly.Module(bytes));
const { user, system } = process.cpuUsage(start);
const result: CompileResult = { turbofanMs: (user + system) / 1000 };
if (kept.length === 0) throw new Error(`there are no modules in ${folder}`);
process.stdout.write(`${JSON.stringify(result)}\n`);
