import { parentPort } from "node:worker_threads";
import { serveMachine } from "../../remote/serve.ts";

const port = parentPort;
if (port)
  port.on(
    "message",
    serveMachine((message, transfer = []) => port.postMessage(message, [...transfer])),
  );
