import { serveMachine } from "../../remote/serve.ts";

const scope = self as unknown as DedicatedWorkerGlobalScope;
const serve = serveMachine((message, transfer = []) => scope.postMessage(message, [...transfer]));
scope.onmessage = (event) => serve(event.data);
