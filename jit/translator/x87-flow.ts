/**
 * What is known of the x87 at a point of a region. Registers are numbered from the TOP that the region was entered with: number r is
 * physical register (TOP + r) modulo 8.
 */
export interface X87Point extends X87Facts {
  /** number of the register that is ST(0): how far TOP has moved, modulo 8 */
  readonly moved: number;
}

export interface X87Facts {
  /** registers that are known not to be empty, and those that are known to be: a bit each */
  readonly valid: number;
  readonly empty: number;
  /** FCW is known to round to nearest and to 64 bits */
  readonly common: boolean;
}

/** As at the entry. */
export const X87_ENTRY: X87Point = { moved: 0, valid: 0, empty: 0, common: false };

/** By node that several ways lead to, what is to be known there. The ways that do not know it have to look. */
export type X87Plan = ReadonlyMap<number, X87Facts>;

interface Departure {
  readonly point: X87Point;
  readonly isBack: boolean;
}

/**
 * What is known of the x87 where several ways meet: nothing but where TOP stands, or what a plan says. A plan comes from what was known at
 * the end of each way when nothing was known at their beginnings.
 */
export class X87Flow {
  plan: X87Plan = new Map();
  readonly #arrivals = new Map<number, X87Point>();
  readonly #departures = new Map<number, Departure[]>();
  /** all that instructions had to look at */
  #asked: X87Facts = X87_ENTRY;

  /** Before an edge to a node: what it asks for and this point does not know; undefined if it expects TOP somewhere else. */
  depart(to: number, point: X87Point, isBack: boolean): X87Facts | undefined {
    const known = this.#arrivals.get(to);
    if (known && known.moved !== point.moved) return undefined;
    const departures = this.#departures.get(to) ?? [];
    departures.push({ point, isBack });
    this.#departures.set(to, departures);
    const facts = this.plan.get(to) ?? X87_ENTRY;
    if (!known) this.#arrivals.set(to, { ...X87_ENTRY, ...facts, moved: point.moved });
    return {
      valid: facts.valid & ~point.valid,
      empty: facts.empty & ~point.empty,
      common: facts.common && !point.common,
    };
  }

  /** At the beginning of a node with several predecessors. */
  arrive(node: number): X87Point {
    const point = this.#arrivals.get(node) ?? X87_ENTRY;
    this.#arrivals.set(node, point);
    return point;
  }

  /** Instructions look at that. */
  ask({ valid, empty, common }: X87Facts): void {
    const asked = this.#asked;
    this.#asked = { valid: asked.valid | valid, empty: asked.empty | empty, common: asked.common || common };
  }

  /**
   * What nodes may take for granted: where ways meet, what all of them know; at the beginning of a loop, what each round knows in the end,
   * as the first round hardly ever differs from the others. Only what somebody asks for is planned.
   */
  makePlan(): X87Plan {
    const plan = new Map<number, X87Facts>();
    const asked = this.#asked;
    for (const [node, departures] of this.#departures) {
      const back = departures.filter(({ isBack }) => isBack);
      const common = (back.length > 0 ? back : departures).reduce<X87Facts>(
        (all, { point }) => ({
          valid: all.valid & point.valid,
          empty: all.empty & point.empty,
          common: all.common && point.common,
        }),
        asked,
      );
      if (common.valid !== 0 || common.empty !== 0 || common.common) plan.set(node, common);
    }
    return plan;
  }
}
