import type { AccessSize, InterruptLine, PortDevice, Stateful } from "./device.ts";

/** Initialization command word 1, and operation command words 2 and 3, at the even port; 8259A data sheet, figures 7 to 9. */
const Icw1 = { NEEDS_ICW4: 1, SINGLE: 2, LEVEL: 8, SELECT: 0x10 } as const;
const Icw4 = { AUTO_EOI: 2, SPECIAL_FULLY_NESTED: 0x10 } as const;
const Ocw2 = { LEVEL_MASK: 7, EOI: 0x20, SPECIFIC: 0x40, ROTATE: 0x80 } as const;
const Ocw3 = {
  SELECT: 8,
  READ_REGISTER: 2,
  IN_SERVICE: 1,
  POLL: 4,
  SPECIAL_MASK_ENABLE: 0x40,
  SPECIAL_MASK: 0x20,
} as const;
const POLL_INTERRUPT = 0x80;

/** The input of the primary that the secondary drives. */
const CASCADE = 2;
/** What an acknowledge yields when the request is gone. */
const SPURIOUS = 7;
/** ELCR bits that cannot be set: IRQ 0, 1, 2 of the primary, 8 and 13 of the secondary; PIIX data sheet, 2.5.6. */
const ALWAYS_EDGE = [0x07, 0x21] as const;

export interface PicState {
  readonly fields: readonly number[];
  readonly flags: readonly boolean[];
}

/** One 8259A: eight inputs, a priority resolver, an output. */
class Chip implements Stateful<PicState> {
  readonly #changed: () => void;
  readonly #hasCascade: boolean;
  readonly #fixedEdge: number;
  /** input levels */
  #levels = 0;
  /** latched requests of edge-triggered inputs */
  #edges = 0;
  #mask = 0;
  #inService = 0;
  #vectorBase = 0;
  /** the input with the lowest priority; the next one has the highest */
  #lowest = 7;
  #levelTriggered = 0;
  /** ICW the odd port expects: 0 = none */
  #expected = 0;
  #needsIcw4 = false;
  #single = false;
  #allLevel = false;
  #autoEoi = false;
  #rotateOnAutoEoi = false;
  #fullyNested = false;
  #specialMask = false;
  #readInService = false;
  #polled = false;
  /** it was initialized: before that it raises nothing */
  #ready = false;

  constructor(index: 0 | 1, changed: () => void) {
    this.#hasCascade = index === 0;
    this.#fixedEdge = ALWAYS_EDGE[index];
    this.#changed = changed;
  }

  setInput(input: number, level: boolean): void {
    const bit = 1 << input;
    const was = (this.#levels & bit) !== 0;
    if (was === level) return;
    this.#levels ^= bit;
    // The latch holds as long as the input does: a request that is gone at the acknowledge is a spurious one.
    if (level) this.#edges |= bit;
    else this.#edges &= ~bit;
    this.#changed();
  }

  /** The input that interrupts now, -1 if none. */
  get highest(): number {
    if (!this.#ready) return -1;
    const requests = this.#requests & ~this.#mask;
    if (requests === 0) return -1;
    const inService = this.#specialMask ? this.#inService & ~this.#mask : this.#inService;
    for (let step = 1; step <= 8; step++) {
      const input = (this.#lowest + step) & 7;
      const bit = 1 << input;
      // In the special fully nested mode the secondary may interrupt its own service.
      const nested = this.#fullyNested && this.#hasCascade && input === CASCADE;
      if (requests & bit && !(inService & bit && !nested)) return input;
      if (inService & bit) return -1;
    }
    return -1;
  }

  /** INTA: takes the request into service. Yields its number in [0, 8). */
  acknowledge(): number {
    const input = this.highest;
    if (input < 0) return SPURIOUS;
    const bit = 1 << input;
    this.#edges &= ~bit;
    if (!this.#autoEoi) this.#inService |= bit;
    else if (this.#rotateOnAutoEoi) this.#lowest = input;
    this.#changed();
    return input;
  }

  vector(input: number): number {
    return this.#vectorBase | input;
  }

  readCommand(): number {
    if (this.#polled) return this.#poll();
    return this.#readInService ? this.#inService : this.#requests;
  }

  readMask(): number {
    return this.#polled ? this.#poll() : this.#mask;
  }

  writeCommand(value: number): void {
    if (value & Icw1.SELECT) this.#initialize(value);
    else if (value & Ocw3.SELECT) this.#writeOcw3(value);
    else this.#writeOcw2(value);
    this.#changed();
  }

  writeMask(value: number): void {
    switch (this.#expected) {
      case 2:
        this.#vectorBase = value & 0xf8;
        this.#expected = this.#single ? (this.#needsIcw4 ? 4 : 0) : 3;
        break;
      case 3:
        // Where the secondary is connected is a matter of wires.
        this.#expected = this.#needsIcw4 ? 4 : 0;
        break;
      case 4:
        this.#autoEoi = (value & Icw4.AUTO_EOI) !== 0;
        this.#fullyNested = (value & Icw4.SPECIAL_FULLY_NESTED) !== 0;
        this.#expected = 0;
        break;
      default:
        this.#mask = value;
        this.#changed();
        return;
    }
    this.#ready = this.#expected === 0;
    this.#changed();
  }

  get elcr(): number {
    return this.#levelTriggered;
  }
  set elcr(value: number) {
    this.#levelTriggered = value & ~this.#fixedEdge;
    this.#changed();
  }

  get #requests(): number {
    const level = this.#allLevel ? 0xff : this.#levelTriggered;
    return (this.#edges & ~level) | (this.#levels & level);
  }

  /** ICW1 clears the edge latches, the mask and the modes; data sheet, "Initialization Command Words". */
  #initialize(icw1: number): void {
    this.#edges = 0;
    this.#mask = 0;
    this.#inService = 0;
    this.#lowest = 7;
    this.#autoEoi = false;
    this.#rotateOnAutoEoi = false;
    this.#fullyNested = false;
    this.#specialMask = false;
    this.#readInService = false;
    this.#polled = false;
    this.#ready = false;
    this.#needsIcw4 = (icw1 & Icw1.NEEDS_ICW4) !== 0;
    this.#single = (icw1 & Icw1.SINGLE) !== 0;
    this.#allLevel = (icw1 & Icw1.LEVEL) !== 0;
    this.#expected = 2;
  }

  #writeOcw2(value: number): void {
    const rotate = (value & Ocw2.ROTATE) !== 0;
    const specific = (value & Ocw2.SPECIFIC) !== 0;
    const level = value & Ocw2.LEVEL_MASK;
    if (!(value & Ocw2.EOI)) {
      // 110: set priority; 100 and 000: rotation on automatic EOI; 010: no operation.
      if (specific && rotate) this.#lowest = level;
      else if (!specific) this.#rotateOnAutoEoi = rotate;
      return;
    }
    const input = specific ? level : this.#highestInService();
    if (input < 0) return;
    this.#inService &= ~(1 << input);
    if (rotate) this.#lowest = input;
  }

  #highestInService(): number {
    // A non-specific EOI in special mask mode does not end what is masked; data sheet, "Special Mask Mode".
    const inService = this.#specialMask ? this.#inService & ~this.#mask : this.#inService;
    for (let step = 1; step <= 8; step++) {
      const input = (this.#lowest + step) & 7;
      if (inService & (1 << input)) return input;
    }
    return -1;
  }

  #writeOcw3(value: number): void {
    if (value & Ocw3.SPECIAL_MASK_ENABLE) this.#specialMask = (value & Ocw3.SPECIAL_MASK) !== 0;
    if (value & Ocw3.READ_REGISTER) this.#readInService = (value & Ocw3.IN_SERVICE) !== 0;
    this.#polled = (value & Ocw3.POLL) !== 0;
  }

  /** A read after the poll command is an acknowledge. */
  #poll(): number {
    this.#polled = false;
    return this.highest < 0 ? 0 : POLL_INTERRUPT | this.acknowledge();
  }

  save(): PicState {
    return {
      fields: [
        this.#levels,
        this.#edges,
        this.#mask,
        this.#inService,
        this.#vectorBase,
        this.#lowest,
        this.#levelTriggered,
        this.#expected,
      ],
      // prettier-ignore
      flags: [
        this.#needsIcw4, this.#single, this.#allLevel, this.#autoEoi, this.#rotateOnAutoEoi, this.#fullyNested, this.#specialMask,
        this.#readInService, this.#polled, this.#ready,
      ],
    };
  }
  restore({ fields, flags }: PicState): void {
    const [
      levels = 0,
      edges = 0,
      mask = 0,
      inService = 0,
      vectorBase = 0,
      lowest = 7,
      levelTriggered = 0,
      expected = 0,
    ] = fields;
    this.#levels = levels;
    this.#edges = edges;
    this.#mask = mask;
    this.#inService = inService;
    this.#vectorBase = vectorBase;
    this.#lowest = lowest;
    this.#levelTriggered = levelTriggered;
    this.#expected = expected;
    this.#needsIcw4 = flags[0] ?? false;
    this.#single = flags[1] ?? false;
    this.#allLevel = flags[2] ?? false;
    this.#autoEoi = flags[3] ?? false;
    this.#rotateOnAutoEoi = flags[4] ?? false;
    this.#fullyNested = flags[5] ?? false;
    this.#specialMask = flags[6] ?? false;
    this.#readInService = flags[7] ?? false;
    this.#polled = flags[8] ?? false;
    this.#ready = flags[9] ?? false;
  }
}

export interface PicPairState {
  readonly primary: PicState;
  readonly secondary: PicState;
}

/**
 * The two 8259A interrupt controllers of a PC, the secondary on input 2 of the primary, with the edge/level control registers
 * of the PIIX. Ports 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1. Data sheets: Intel 8259A (231468-003), 82371SB.
 *
 * Not modelled: the 8080 mode (ICW4 bit 0 clear is taken as 8086 mode), buffered mode.
 */
export class Pic8259Pair implements PortDevice, Stateful<PicPairState> {
  readonly #primary: Chip;
  readonly #secondary: Chip;
  readonly #output: InterruptLine;
  #level = false;

  /** @param output INTR of the primary, to LINT0 of the processor */
  constructor(output: InterruptLine) {
    this.#output = output;
    this.#primary = new Chip(0, () => this.#update());
    this.#secondary = new Chip(1, () => this.#primary.setInput(CASCADE, this.#secondary.highest >= 0));
  }

  /** The input of IRQ `irq`, 0..15. IRQ 2 is taken. */
  line(irq: number): InterruptLine {
    if (irq === CASCADE) return { set: () => {} };
    const chip = irq < 8 ? this.#primary : this.#secondary;
    return { set: (level) => chip.setInput(irq & 7, level) };
  }

  /** Whether the processor is asked to acknowledge an interrupt. */
  get asserted(): boolean {
    return this.#level;
  }

  /** The processor's interrupt acknowledge cycles: yields the vector. */
  acknowledge(): number {
    const input = this.#primary.acknowledge();
    if (input !== CASCADE) return this.#primary.vector(input);
    const vector = this.#secondary.vector(this.#secondary.acknowledge());
    // The cascade input stays high while the secondary has more, and needs an edge of its own for it.
    this.#primary.setInput(CASCADE, false);
    this.#primary.setInput(CASCADE, this.#secondary.highest >= 0);
    return vector;
  }

  readPort(port: number, _size: AccessSize): number {
    switch (port) {
      case 0x20:
        return this.#primary.readCommand();
      case 0x21:
        return this.#primary.readMask();
      case 0xa0:
        return this.#secondary.readCommand();
      case 0xa1:
        return this.#secondary.readMask();
      case 0x4d0:
        return this.#primary.elcr;
      default:
        return this.#secondary.elcr;
    }
  }

  writePort(port: number, _size: AccessSize, value: number): void {
    switch (port) {
      case 0x20:
        return this.#primary.writeCommand(value);
      case 0x21:
        return this.#primary.writeMask(value);
      case 0xa0:
        return this.#secondary.writeCommand(value);
      case 0xa1:
        return this.#secondary.writeMask(value);
      case 0x4d0:
        this.#primary.elcr = value;
        return;
      default:
        this.#secondary.elcr = value;
    }
  }

  #update(): void {
    const level = this.#primary.highest >= 0;
    if (level === this.#level) return;
    this.#level = level;
    this.#output.set(level);
  }

  save(): PicPairState {
    return { primary: this.#primary.save(), secondary: this.#secondary.save() };
  }
  restore({ primary, secondary }: PicPairState): void {
    this.#primary.restore(primary);
    this.#secondary.restore(secondary);
    this.#level = this.#primary.highest >= 0;
  }
}
