import { parentPort } from "node:worker_threads";
import { translationWorker } from "../../translation/worker-body.ts";

parentPort?.on(
  "message",
  translationWorker((message) => parentPort?.postMessage(message)),
);
