// Run by one of the runtimes under test: kernel, initrd, busybox, thread. Prints the result as JSON.
import { readFile } from "node:fs/promises";
import * as umbra from "../../src/index.ts";
import { runScenario } from "./scenario.ts";

const [kernel = "", initrd = "", busybox = "", thread = "worker"] = process.argv.slice(2);
const result = await runScenario({
  umbra,
  kernel: await readFile(kernel),
  initrd: await readFile(initrd),
  busybox: await readFile(busybox),
  thread: thread === "same-thread" ? thread : "worker",
});
console.log(JSON.stringify(result));
