import type { CompiledBatch, TranslationService, Translator, TranslateRequest } from "../../runtime/abi/translator.ts";
import { BatchInProgress, DEPTH, translateBatch } from "./compile.ts";

/** Translates when it is asked to, while the guest stands still. */
export class ImmediateTranslation implements TranslationService {
  readonly depth = 1;
  readonly #translator: Translator;

  constructor(translator: Translator) {
    this.#translator = translator;
  }

  submit(requests: readonly TranslateRequest[]): CompiledBatch {
    return translateBatch(this.#translator, requests);
  }
  take(): undefined {
    return undefined;
  }
  ready(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {
    // Nothing runs elsewhere.
  }
}

/** Requests that are translated each time that somebody asks whether a batch is ready: about a millisecond's work. */
const REQUESTS_IN_A_SLICE = 2;

/** Translates on the guest's thread, a little between two slices of the guest: for hosts without workers. */
export class SlicedTranslation implements TranslationService {
  readonly depth: number = DEPTH;
  readonly #translator: Translator;
  readonly #batches: BatchInProgress[] = [];

  constructor(translator: Translator) {
    this.#translator = translator;
  }

  submit(requests: readonly TranslateRequest[]): undefined {
    this.#batches.push(new BatchInProgress(this.#translator, requests));
  }
  take(finish: boolean): CompiledBatch | undefined {
    const batch = this.#batches[0]?.step(finish ? Infinity : REQUESTS_IN_A_SLICE);
    if (batch) this.#batches.shift();
    return batch;
  }
  ready(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {
    this.#batches.length = 0;
  }
}
