// What umbra.mjs hands over to: the command line on this process's own terminal and files.

import { main } from "./main.ts";
import { nodeHost } from "./node-host.ts";

// A reader that closes the pipe early, as `head` does, ends the listing and is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});

process.exitCode = await main(process.argv.slice(2), nodeHost);
