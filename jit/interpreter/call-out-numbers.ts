/** Gives every call-out that a definition names a number; the manifest carries the names in that order. */
export class CallOutNumbers {
  readonly #numbers = new Map<string, number>();

  of(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(name, number);
    }
    return number;
  }

  names(): string[] {
    return [...this.#numbers.keys()];
  }
}

/** What the imported function call_out returns. */
export const CallOutStatus = { CONTINUE: 0, FAULT: 1, REDIRECT: 2, EXIT: 3 } as const;
