import type {
  BatchBuilder,
  CompiledBatch,
  TranslatedBatch,
  Translator,
  TranslateRequest,
} from "../../runtime/abi/translator.ts";

/**
 * Batches that are under way at a time: a worker has one to go on with while the last one waits to be fetched. The same everywhere,
 * so that a machine whose clock counts instructions runs alike wherever it translates.
 */
export const DEPTH = 2;

/** A batch that is being translated on this thread, request by request; the time that it takes is added up. */
export class BatchInProgress {
  readonly #requests: readonly TranslateRequest[];
  readonly #translator: Translator;
  #builder: BatchBuilder | undefined;
  #next = 0;
  #translatingMs = 0;

  constructor(translator: Translator, requests: readonly TranslateRequest[]) {
    this.#translator = translator;
    this.#requests = requests;
  }

  /**
   * Translates the next `count` requests; with the last of them, the batch goes through the engine's compiler.
   *
   * @returns the batch, once it is complete
   */
  step(count: number): CompiledBatch | undefined {
    const started = performance.now();
    let batch: TranslatedBatch | undefined;
    try {
      this.#builder ??= this.#translator.begin();
      const end = Math.min(this.#requests.length, this.#next + count);
      for (const request of this.#requests.slice(this.#next, end)) this.#builder.add(request);
      this.#next = end;
      if (end === this.#requests.length) batch = this.#builder.finish();
    } catch (cause) {
      return failedBatch(cause);
    } finally {
      this.#translatingMs += performance.now() - started;
    }
    return batch && compile(batch, this.#translatingMs);
  }
}

/** Translates a whole batch. */
export function translateBatch(translator: Translator, requests: readonly TranslateRequest[]): CompiledBatch {
  return new BatchInProgress(translator, requests).step(requests.length) ?? failedBatch("it has no end");
}

function compile({ binary, regions }: TranslatedBatch, translatingMs: number): CompiledBatch {
  if (regions.every((region) => region === undefined))
    return { module: undefined, regions, wasmBytes: 0, translatingMs, compilingMs: 0 };
  const started = performance.now();
  try {
    const module = new WebAssembly.Module(binary as Uint8Array<ArrayBuffer>);
    return { module, regions, wasmBytes: binary.length, translatingMs, compilingMs: performance.now() - started };
  } catch (cause) {
    return failedBatch(cause);
  }
}

/** What stands for a batch that a bug of the translator has cost. */
export function failedBatch(cause: unknown): CompiledBatch {
  const failure = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  return { module: undefined, regions: [], wasmBytes: 0, translatingMs: 0, compilingMs: 0, failure };
}
