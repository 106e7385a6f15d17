import { Worker } from "node:worker_threads";
import type { StartWorker } from "../../translation/worker.ts";
import type { MachineWorker, MachineWorkerEvents } from "../host.ts";

/** Starts the translator as a thread of this process. */
export function startTranslatorWorker(url = new URL("./translator-worker.ts", import.meta.url)): StartWorker {
  return (events) => {
    const worker = new Worker(url);
    worker.unref();
    listen(worker, events as MachineWorkerEvents);
    return {
      post: (message) => worker.postMessage(message),
      keepAlive: (wanted) => (wanted ? worker.ref() : worker.unref()),
      terminate: () => void worker.terminate(),
    };
  };
}

/** Starts a machine's thread. */
export function startMachineWorker(
  events: MachineWorkerEvents,
  url = new URL("./machine-worker.ts", import.meta.url),
): MachineWorker {
  const worker = new Worker(url);
  listen(worker, events);
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    keepAlive: (wanted) => (wanted ? worker.ref() : worker.unref()),
    terminate: async () => void (await worker.terminate()),
  };
}

function listen(worker: Worker, events: MachineWorkerEvents): void {
  worker.on("message", (message) => events.message(message));
  worker.on("messageerror", (cause) => events.failed(cause));
  worker.on("error", (cause) => events.failed(cause));
  worker.on("exit", (code) => events.failed(`the worker has ended with code ${code}`));
}
