import type { MachineHosting } from "umbra";

/** What a browser, and the way in which the page is served, let a machine have. */
export interface Support {
  readonly canRun: boolean;
  /** one or two sentences for the person in front of the page */
  readonly text: string;
}

/** Facts that `describeSupport` goes by; of the page itself, unless a test says otherwise. */
export interface Surroundings {
  readonly isSecureContext: boolean;
  readonly crossOriginIsolated: boolean;
  readonly hasTailCalls: boolean;
}

/** A module with nothing but a function whose body is `return_call 0`. WebAssembly core specification, 5.4.1 */
const TAIL_CALL = Uint8Array.of(
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 6, 1, 4, 0, 0x12, 0, 0x0b,
); // prettier-ignore

export function surroundings(): Surroundings {
  return {
    isSecureContext: globalThis.isSecureContext,
    crossOriginIsolated: globalThis.crossOriginIsolated,
    hasTailCalls: WebAssembly.validate(TAIL_CALL),
  };
}

export function describeSupport(facts: Surroundings): Support {
  if (!facts.hasTailCalls)
    return {
      canRun: false,
      text: "It has no tail calls in WebAssembly, which Umbra is made of. Chrome 112, Firefox 121 and Safari 18.2 have them.",
    };
  if (facts.crossOriginIsolated) return { canRun: true, text: "" };
  const headers = "the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";
  return {
    canRun: true,
    text: facts.isSecureContext
      ? `Not isolated: the server does not send ${headers}. The machine works all the same, by coarser clocks.`
      : `Not isolated, and no disk is kept: this page did not come by HTTPS or from localhost, with ${headers}. The machine works all the same, by coarser clocks.`,
  };
}

/** Where a machine runs, as it turned out. */
export function describeHosting({ thread, translation }: MachineHosting): string {
  if (thread === "same-thread") return "The guest runs on the page's own thread, which may make the page slow.";
  return translation === "worker"
    ? "Guest and translator have threads of their own."
    : "The guest has a thread of its own.";
}
