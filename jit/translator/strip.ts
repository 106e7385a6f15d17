import { invariant } from "../../runtime/abi/invariant.ts";
import { Tlb } from "../../runtime/abi/memory-map.ts";
import type { Value, Variable } from "../emit/value.ts";
import { tlbEntry } from "../helpers/tlb.ts";
import { type MemoryOperand, RIP } from "../isa/instruction.ts";
import type { Site, TranslatorEmitter } from "./emitter.ts";
import type { Stream, StreamSite } from "./streams.ts";
import { MANY } from "./trip-count.ts";

const PAGE = 4096;

/** The streams of a loop, made ready for as many rounds as all of them stay in the pages where they are. */
export class Strip {
  /** rounds that may still run without a look at the TLB */
  readonly rounds: Variable;
  readonly sites: ReadonlyMap<MemoryOperand, Site>;
  readonly #e: TranslatorEmitter;
  readonly #pointers = new Map<Stream, Variable>();

  constructor(e: TranslatorEmitter, streams: readonly Stream[], sites: ReadonlyMap<MemoryOperand, StreamSite>) {
    this.#e = e;
    this.rounds = e.declare("i32", 32);
    for (const stream of streams) this.#pointers.set(stream, e.declare("i32", 32));
    this.sites = new Map(
      [...sites].flatMap(([operand, { stream, distance }]) => {
        const pointer = this.#pointers.get(stream);
        return pointer ? [[operand, { pointer, displacement: distance - stream.low }] as const] : [];
      }),
    );
  }

  /** Emits, before a round: how many rounds the budget and the pages allow, and where the streams begin. */
  prepare(allowedByBudget: Value): void {
    const e = this.#e;
    this.rounds.set(allowedByBudget);
    for (const [stream, pointer] of this.#pointers) {
      const count = e.let(this.#prepareStream(stream, pointer));
      const rounds = e.let(this.rounds.get());
      this.rounds.set(e.select(e.ltS(count, rounds), count, rounds));
    }
  }

  /** Points a stream at its first byte; gives the rounds that it stays in its page, 0 if it is not in one that the TLB knows. */
  #prepareStream(stream: Stream, pointer: Variable): Value {
    const e = this.#e;
    const { low, high, stride, access, aligned } = stream;
    const first = e.let(e.add(this.#origin(stream), e.constant(64, low)));
    const table = access === "w" ? Tlb.WRITE : Tlb.READ;
    const entry = tlbEntry(e, first);
    pointer.set(e.add(e.truncate(first, 32), e.loadOffset(32, entry, table + Tlb.ADDEND)));
    const isKnown = e.eq(e.loadOffset(64, entry, table + Tlb.TAG), e.and(first, e.constant(64, -PAGE)));
    const within = e.let(e.and(e.truncate(first, 32), e.constant(32, PAGE - 1)));
    const room = e.let(e.sub(e.constant(32, PAGE - (high - low)), within));
    let isGood = e.and(isKnown, e.geS(room, e.constant(32, 0)));
    for (const distance of new Set(aligned.map((at) => (at - low) & 15))) {
      const rest = e.and(e.add(within, e.constant(32, distance)), e.constant(32, 15));
      isGood = e.and(isGood, e.eqz(rest));
    }
    return e.select(isGood, this.#roundsIn(stride, room, within), e.constant(32, 0));
  }

  #roundsIn(stride: number, room: Value, within: Value): Value {
    const e = this.#e;
    if (stride === 0) return e.constant(32, MANY);
    const [bytes, step] = stride > 0 ? [room, stride] : [within, -stride];
    const steps = e.divU(bytes, e.constant(32, step));
    return e.add(steps, e.constant(32, 1));
  }

  #origin({ base, index, scale }: Stream): Value {
    const e = this.#e;
    const scaled =
      index >= 0 ? e.shl(e.readGeneral(index, 64, false), e.constant(64, Math.log2(scale))) : e.constant(64, 0);
    if (base === RIP) return e.ripPage.get();
    return base >= 0 ? e.add(e.readGeneral(base, 64, false), scaled) : scaled;
  }

  /** Where a stream stands: the offset of its first byte in this round. */
  pointerOf(stream: Stream): Variable {
    const pointer = this.#pointers.get(stream);
    invariant(pointer !== undefined, "the stream is one of the strip");
    return pointer;
  }

  /** Emits, after that many rounds: the streams advance. */
  advance(rounds: number): void {
    const e = this.#e;
    for (const [{ stride }, pointer] of this.#pointers)
      if (stride !== 0) pointer.set(e.add(pointer.get(), e.constant(32, rounds * stride)));
  }
}
