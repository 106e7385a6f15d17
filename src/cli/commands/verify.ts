import { VmError } from "../../errors.ts";
import type { Engine } from "../../engine.ts";
import type { VerifyOptions, VerifyResult } from "../../verify/verify.ts";
import type { Option } from "../arguments.ts";
import type { CommandHost } from "../host.ts";
import { parseCount } from "../quantity.ts";

/** Options that `run` and `exec` share. */
export const VERIFY_OPTION: Option = {
  about: "run on the interpreter and beside it on --engine, compare them all the way, and stop at the first difference",
};

/** What the guest does under `umbra run --verify` unless told otherwise: something, and then it switches itself off. */
export const VERIFY_SCRIPT = "uname -srm; echo $((6*7)); md5sum /bin/busybox; ls -lR /bin | md5sum";

/** @throws {VmError} ERR_CONFIG when the interpreter is to be compared with itself */
export function verifyEngine(engine: string | undefined): Exclude<Engine, "interpreter"> {
  const chosen = engine ?? "tiered";
  if (chosen !== "tiered" && chosen !== "translator")
    throw new VmError(
      "ERR_CONFIG",
      `--verify: --engine is "${chosen}", expected "tiered" or "translator" to compare with`,
    );
  return chosen;
}

export function parseLimit(name: string, text: string | undefined): { readonly untilInstructions?: bigint } {
  return text === undefined ? {} : { untilInstructions: BigInt(parseCount(name, text)) };
}

/**
 * Compares, shows how far it is, and reports.
 *
 * @returns exit code: 0 if the engines agree, 1 if they differ
 */
export async function reportVerification(
  host: CommandHost,
  options: Pick<VerifyOptions, "engine" | "untilInstructions">,
  verify: (options: VerifyOptions) => Promise<VerifyResult>,
): Promise<number> {
  const { describeDifference } = await import("../../verify/report.ts");
  const started = host.nowMs();
  const seconds = (): number => Math.max(host.nowMs() - started, 1) / 1000;
  const result = await verify({
    ...options,
    onProgress: (instructions) => {
      const millions = Number(instructions) / 1e6;
      host.progress(
        `verify: ${millions.toFixed(1)} million instructions alike, ${(millions / seconds()).toFixed(1)} million a second`,
      );
    },
    onNote: (text) => host.complain(`umbra: verify: ${text}`),
  });
  if ("difference" in result) {
    host.complain("umbra: verify: the engines differ");
    host.print(`${await describeDifference(result.difference)}\n`);
    return 1;
  }
  const { instructions, ended } = result.agreement;
  host.complain(
    `umbra: verify: interpreter and ${options.engine} agree in all ${instructions} instructions (${ended ?? "stopped at the limit"}), ${seconds().toFixed(1)} s`,
  );
  return 0;
}
