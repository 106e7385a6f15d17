import type { StartWorker } from "../../translation/worker.ts";
import type { MachineWorker, MachineWorkerEvents } from "../host.ts";

/** Starts the translator as a worker. */
export function startTranslatorWorker(url: URL | undefined): StartWorker {
  return (events) => {
    const worker =
      url === undefined
        ? new Worker(new URL("./translator-worker.ts", import.meta.url), { type: "module" })
        : new Worker(url, { type: "module" });
    listen(worker, events as MachineWorkerEvents);
    return {
      post: (message) => worker.postMessage(message),
      keepAlive: () => undefined,
      terminate: () => worker.terminate(),
    };
  };
}

/**
 * How long a machine's worker is left alone after it has ended its own, the translator's. Chromium 156 does not get rid of a worker that is
 * terminated while one that it made is still ending: thread and memory stay as long as the page. The end of a worker cannot be observed.
 */
const ENDING_MS = 250;

/** Starts a machine's worker. */
export function startMachineWorker(events: MachineWorkerEvents, url: URL | undefined): MachineWorker {
  const worker =
    url === undefined
      ? new Worker(new URL("./machine-worker.ts", import.meta.url), { type: "module" })
      : new Worker(url, { type: "module" });
  listen(worker, events);
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    keepAlive: () => undefined,
    terminate: () => {
      setTimeout(() => worker.terminate(), ENDING_MS);
      return Promise.resolve();
    },
  };
}

function listen(worker: Worker, events: MachineWorkerEvents): void {
  worker.onmessage = (event) => events.message(event.data);
  worker.onmessageerror = () => events.failed("a message could not be read");
  worker.onerror = (event) => {
    event.preventDefault();
    events.failed(event.message || "its module could not be loaded");
  };
}
