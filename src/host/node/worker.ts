import { Worker } from "node:worker_threads";
import type { StartWorker } from "../../translation/worker.ts";

/** Starts the translator as a thread of this process. */
export const startTranslatorWorker: StartWorker = (events) => {
  const worker = new Worker(new URL("translator-worker.ts", import.meta.url));
  worker.unref();
  worker.on("message", (message) => events.message(message));
  worker.on("messageerror", (cause) => events.failed(cause));
  worker.on("error", (cause) => events.failed(cause));
  worker.on("exit", (code) => events.failed(`the worker has ended with code ${code}`));
  return {
    post: (message) => worker.postMessage(message),
    keepAlive: (wanted) => (wanted ? worker.ref() : worker.unref()),
    terminate: () => void worker.terminate(),
  };
};
