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
    terminate: () => Promise.resolve(worker.terminate()),
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
