/** Finds a text in what comes in parts. */
export class TextWatch {
  readonly #wanted: string;
  #tail = "";
  #isFound = false;

  constructor(wanted: string) {
    this.#wanted = wanted;
  }

  /** @returns whether this part has completed the text, for the first time */
  feed(part: string): boolean {
    if (this.#isFound) return false;
    const seen = this.#tail + part;
    this.#isFound = seen.includes(this.#wanted);
    this.#tail = seen.slice(1 - this.#wanted.length);
    return this.#isFound;
  }
}
