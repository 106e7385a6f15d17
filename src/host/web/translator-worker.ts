import { translationWorker } from "../../translation/worker-body.ts";

const scope = self as unknown as DedicatedWorkerGlobalScope;
const translate = translationWorker((message) => scope.postMessage(message));
scope.onmessage = (event) => translate(event.data);
