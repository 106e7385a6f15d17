import { pageOf, type Region, type RegionBlock } from "../../jit/translator/region.ts";
import { type RegionSource, RegionTranslator } from "../../jit/translator/translator.ts";
import { format } from "../../jit/isa/format.ts";
import { FEATURES, type Feature } from "../../runtime/abi/features.ts";
import { VmError } from "../errors.ts";

const PAGE = 4096;
/** columns of guest code beside its WebAssembly */
const BYTES = 10;

export interface RegionPlace {
  readonly source: RegionSource;
  /** offset of the region's entry in the first page */
  readonly entry: number;
  /** linear address of the first page's first byte */
  readonly pageGva: bigint;
  readonly features?: ReadonlySet<Feature>;
}

/**
 * A region as text: its blocks with their guest code, where they lead, and the WebAssembly that they become.
 *
 * @returns undefined if the instruction at the entry is left to the interpreter
 */
export async function dumpRegion(place: RegionPlace): Promise<string | undefined> {
  const { source, entry, pageGva, features = new Set(FEATURES) } = place;
  const compiled = new RegionTranslator({ features }).compile(source, entry);
  if (!compiled) return undefined;
  const { module, region } = compiled;
  const binary = module.binary();
  const textOf = await loadPrinter();
  return [
    `region at 0x${hex(pageGva + BigInt(entry))}: ${region.blocks.length} blocks, ${region.instructionCount} instructions, ${binary.length} bytes of WebAssembly`,
    "",
    "-- guest code --",
    guestListing(region, source, pageGva),
    "-- control flow --",
    controlFlow(region, pageGva),
    "-- WebAssembly --",
    textOf(binary).trimEnd(),
    "",
  ].join("\n");
}

/** Binaryen is large: only who wants the text loads it, and an installed package comes without it. */
async function loadPrinter(): Promise<(binary: Uint8Array) => string> {
  try {
    return (await import("../../jit/emit/module.ts")).textOf;
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND")) throw cause;
    throw new VmError("ERR_TOOL", "binaryen is missing, which writes WebAssembly as text; npm install binaryen", {
      cause,
    });
  }
}

function guestListing({ blocks }: Region, { pages }: RegionSource, pageGva: bigint): string {
  const pageBytes = new Map(pages.map(({ distance, bytes }) => [distance, bytes]));
  const byteAt = (place: number): number => pageBytes.get(pageOf(place))?.[place & (PAGE - 1)] ?? 0;
  return inOrder(blocks)
    .map(({ block, number }) => {
      const lines = block.instructions.map(({ offset, end, instruction }) => {
        const bytes = Array.from({ length: end - offset }, (_, index) =>
          byteAt(offset + index)
            .toString(16)
            .padStart(2, "0"),
        ).join(" ");
        const gva = pageGva + BigInt(offset);
        return `  ${hex(gva)}  ${bytes.padEnd(3 * BYTES)} ${format(instruction, gva)}\n`;
      });
      return `block ${number}:\n${lines.join("")}`;
    })
    .join("\n");
}

/** A line for each block: where it leads, and what leads to it. */
function controlFlow({ blocks }: Region, pageGva: bigint): string {
  const numbers = new Map(blocks.map(({ start }, index) => [start, index]));
  const place = (offset: number): string => {
    const number = numbers.get(offset);
    const gva = hex(pageGva + BigInt(offset));
    if (number !== undefined) return `block ${number}`;
    return offset >= 0 && offset < PAGE ? `out, ${gva}` : `another page, ${gva}`;
  };
  const address = (offset: number): string => hex(pageGva + BigInt(offset));
  const edges = new Map(blocks.map(({ end }, index) => [index, edgesOf(end, place, address)]));
  return inOrder(blocks)
    .map(({ block, number }) => {
      const from = [...edges]
        .filter(([, list]) => list.some(({ to }) => to === `block ${number}`))
        .map(([index]) => index);
      const entered = [...(number === 0 ? ["entry"] : []), ...from.map((index) => `block ${index}`)].join(", ");
      const leads = edges.get(number)?.map(({ label, to }) => `${label} ${to}`) ?? [];
      const back = blocks.some(
        ({ start }) =>
          edges.get(number)?.some(({ to }) => to === `block ${numbers.get(start)}`) && start <= block.start,
      );
      return `  block ${number}${" ".repeat(Math.max(1, 4 - String(number).length))}0x${hex(pageGva + BigInt(block.start))}  from ${entered || "-"}; ${leads.join("; ")}${back ? "  (loop)" : ""}\n`;
    })
    .join("");
}

interface Edge {
  readonly label: string;
  readonly to: string;
}

function edgesOf(
  end: RegionBlock["end"],
  place: (offset: number) => string,
  address: (offset: number) => string,
): Edge[] {
  switch (end.kind) {
    case "jump":
      return [{ label: "goes on with", to: place(end.target) }];
    case "branch":
      return [
        { label: "taken:", to: place(end.target) },
        { label: "else:", to: place(end.next) },
      ];
    case "indirect":
      return [
        ...end.candidates.map((offset) => ({ label: "perhaps to", to: place(offset) })),
        { label: "to", to: "where a register or the stack says" },
      ];
    case "interpret":
      // Its target is where the block itself ends: no edge.
      return [{ label: "leaves to the interpreter", to: `at ${address(end.target)}` }];
  }
}

function inOrder(blocks: readonly RegionBlock[]): { readonly block: RegionBlock; readonly number: number }[] {
  return blocks.map((block, number) => ({ block, number })).sort((left, right) => left.block.start - right.block.start);
}

function hex(value: bigint): string {
  return BigInt.asUintN(64, value).toString(16);
}
