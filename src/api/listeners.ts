import type { Unsubscribe } from "./machine.ts";

/** Who wants to be told of something. */
export class Listeners<Detail> {
  readonly #listeners = new Set<{ readonly call: (detail: Detail) => void }>();

  add(call: (detail: Detail) => void): Unsubscribe {
    const entry = { call };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /** One listener's exception is reported as an uncaught one, and keeps nothing from the others. */
  emit(detail: Detail): void {
    for (const { call } of [...this.#listeners]) {
      try {
        call(detail);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
