import type { Translator } from "../../runtime/abi/translator.ts";
import { RegionTranslator } from "../../jit/translator/translator.ts";
import { translateBatch } from "./compile.ts";
import type { FromWorker, ToWorker } from "./worker.ts";

/** The worker's side: a function that answers messages. Whoever starts a worker connects it to the worker's port. */
export function translationWorker(answer: (message: FromWorker) => void): (message: ToWorker) => void {
  let translator: Translator | undefined;
  return (message) => {
    if (message.kind === "features") {
      const { features, namesRegions } = message;
      translator = new RegionTranslator({ features: new Set(features), namesRegions });
    } else if (translator) answer(translateBatch(translator, message.requests));
  };
}
