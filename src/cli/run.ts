// What umbra.mjs hands over to: the command line on this process's own terminal and files.

import nodeModule from "node:module";

// A reader that closes the pipe early, as `head` does, ends the listing and is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});

// Before the modules that it is for are loaded. Deno has no such function, and an import by its name would keep the program from starting.
const { enableCompileCache }: Partial<typeof nodeModule> = nodeModule;
enableCompileCache?.();
const { main } = await import("./main.ts");
const { nodeHost } = await import("./node-host.ts");

process.exitCode = await main(process.argv.slice(2), nodeHost);
