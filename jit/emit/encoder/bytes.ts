const UTF8 = new TextEncoder();

/** Bytes in a row, with the numbers of WebAssembly's binary format. Core Specification, 5.2. */
export class Bytes {
  #bytes = new Uint8Array(1 << 12);
  length = 0;

  /** A view of what was written, until more is. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
  copy(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.length);
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.length + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  byte(value: number): void {
    const at = this.length;
    if (at === this.#bytes.length) this.#reserve(1);
    this.#bytes[at] = value;
    this.length = at + 1;
  }
  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Overwrites a byte. */
  patch(at: number, value: number): void {
    this.#bytes[at] = value;
  }
  /** An opcode of one byte and an index. */
  indexed(opcode: number, index: number): void {
    this.byte(opcode);
    if (index < 0x80) this.byte(index);
    else this.unsigned(index);
  }

  /** 32 bits, unsigned. */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }
  /** 32 bits, signed. */
  signed(value: number): void {
    let rest = value | 0;
    for (;;) {
      const part = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && part < 0x40) || (rest === -1 && part >= 0x40)) return this.byte(part);
      this.byte(part | 0x80);
    }
  }
  /** 64 bits, signed, in two words. */
  signed64(low: number, high: number): void {
    if (low >> 31 === high) return this.signed(low);
    let [rest, top] = [low | 0, high | 0];
    for (;;) {
      const part = rest & 0x7f;
      rest = (rest >>> 7) | (top << 25);
      top >>= 7;
      if ((rest === 0 && top === 0 && part < 0x40) || (rest === -1 && top === -1 && part >= 0x40))
        return this.byte(part);
      this.byte(part | 0x80);
    }
  }
  word(value: number): void {
    this.byte(value & 0xff);
    this.byte((value >>> 8) & 0xff);
    this.byte((value >>> 16) & 0xff);
    this.byte(value >>> 24);
  }
  /** An opcode, with its prefix in bits 8 to 15 if it has one. */
  opcode(opcode: number): void {
    if (opcode < 0x100) return this.byte(opcode);
    this.byte(opcode >> 8);
    this.unsigned(opcode & 0xff);
  }
  name(text: string): void {
    const bytes = UTF8.encode(text);
    this.unsigned(bytes.length);
    this.append(bytes);
  }
}
