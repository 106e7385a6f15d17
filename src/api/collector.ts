/** Puts together the beginning of what comes in pieces. */
export class Collector {
  readonly #pieces: Uint8Array[] = [];
  #room: number;
  #truncated = false;

  /** @param limitBytes how much is kept; may be Infinity */
  constructor(limitBytes: number) {
    this.#room = limitBytes;
  }

  /** There was more than is kept. */
  get truncated(): boolean {
    return this.#truncated;
  }

  add(bytes: Uint8Array): void {
    const kept = bytes.length <= this.#room ? bytes : bytes.slice(0, this.#room);
    if (kept.length < bytes.length) this.#truncated = true;
    if (kept.length === 0) return;
    this.#pieces.push(kept);
    this.#room -= kept.length;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return join(this.#pieces);
  }
}

/** Keeps the end of what comes in pieces. */
export class TailCollector {
  readonly #limitBytes: number;
  #bytes = new Uint8Array(0);

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  add(bytes: Uint8Array): void {
    this.#bytes = join([this.#bytes, bytes]).slice(-this.#limitBytes);
  }

  text(): string {
    return new TextDecoder().decode(this.#bytes);
  }
}

function join(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
