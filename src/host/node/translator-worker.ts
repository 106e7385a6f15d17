import * as nodeModule from "node:module";
import { parentPort } from "node:worker_threads";

/** Answers after which most of the translator's functions have run, and have been compiled by the engine. */
const ANSWERS_BEFORE_FLUSH = 64;

// Reading and compiling the translator's modules takes several times as long as taking them from the cache, and a booting guest
// waits for it. A worker has a cache of its own, and is ended before it could write that: hence the flush. Deno has neither function.
const { enableCompileCache, flushCompileCache }: Partial<typeof nodeModule> = nodeModule;
enableCompileCache?.();
const { translationWorker } = await import("../../translation/worker-body.ts");

let answers = 0;
parentPort?.on(
  "message",
  translationWorker((message) => {
    parentPort?.postMessage(message);
    if (++answers === ANSWERS_BEFORE_FLUSH) flushCompileCache?.();
  }),
);
