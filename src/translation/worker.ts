import type { Feature } from "../../runtime/abi/features.ts";
import type { CompiledBatch, TranslationService, TranslateRequest } from "../../runtime/abi/translator.ts";
import { DEPTH, failedBatch } from "./compile.ts";

/** A worker as its maker sees it. Messages go by structured clone, which hands on compiled modules; they keep their order. */
export interface WorkerPort {
  post(message: ToWorker): void;
  /** Whether the process waits for the worker, when it has nothing else to do; at first it does not. */
  keepAlive(wanted: boolean): void;
  terminate(): void;
}

/** What a worker reports, never while `start` or `post` is running. */
export interface WorkerEvents {
  message(message: FromWorker): void;
  /** The worker has ended, or could not start: nothing more will come. */
  failed(cause: unknown): void;
}

/** Starts a thread that runs `translator-worker`. */
export type StartWorker = (events: WorkerEvents) => WorkerPort;

export type ToWorker =
  | { readonly kind: "features"; readonly features: readonly Feature[]; readonly namesRegions: boolean }
  | { readonly kind: "translate"; readonly requests: readonly TranslateRequest[] };
export type FromWorker = CompiledBatch;

/** Translates in another thread, while the guest goes on. If the worker dies, so do the batches that it had and gets. */
export class WorkerTranslation implements TranslationService {
  readonly depth: number = DEPTH;
  readonly #port: WorkerPort;
  readonly #batches: CompiledBatch[] = [];
  #underWay = 0;
  #failure: CompiledBatch | undefined;
  #isClosed = false;
  #wake: (() => void)[] = [];

  constructor(start: StartWorker, features: ReadonlySet<Feature>, namesRegions = false) {
    this.#port = start({
      message: (batch) => this.#arrived(batch),
      failed: (cause) => this.#failed(cause),
    });
    this.#port.post({ kind: "features", features: [...features], namesRegions });
  }

  submit(requests: readonly TranslateRequest[]): CompiledBatch | undefined {
    if (this.#failure || this.#isClosed) return this.#failure ?? failedBatch("the translator was closed");
    this.#underWay++;
    this.#port.post({ kind: "translate", requests });
    return undefined;
  }

  /** A translator that was closed has not failed. */
  get failure(): string | undefined {
    return this.#isClosed ? undefined : this.#failure?.failure;
  }

  take(): CompiledBatch | undefined {
    return this.#batches.shift();
  }

  ready(): Promise<void> {
    if (this.#batches.length > 0 || this.#underWay === 0) return Promise.resolve();
    this.#port.keepAlive(true);
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#port.terminate();
    this.#failed("the translator was closed");
  }

  #arrived(batch: CompiledBatch): void {
    if (this.#underWay === 0) return;
    this.#underWay--;
    this.#batches.push(batch);
    if (this.#wake.length > 0) this.#port.keepAlive(false);
    for (const wake of this.#wake.splice(0)) wake();
  }

  #failed(cause: unknown): void {
    this.#failure ??= failedBatch(cause);
    while (this.#underWay > 0) this.#arrived(this.#failure);
  }
}
