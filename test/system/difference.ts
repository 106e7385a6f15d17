import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onDisk } from "../../src/boot/cache.ts";
import { runCommand } from "../../src/boot/command.ts";
import type { Boot, ProgramOutcome } from "./session.ts";

/** Lines of a difference, or of the end of a console, that are printed. */
const LINES = 40;

/**
 * Keeps what a program printed on both sides, and says where they differ.
 *
 * @param directory where the outputs stay
 * @param label names the files
 */
export async function describeDifference(
  directory: string,
  label: string,
  { native, guest }: ProgramOutcome,
): Promise<string> {
  const paths = { native: join(directory, `${label}.native.out`), guest: join(directory, `${label}.guest.out`) };
  await onDisk(`write to ${directory}`, async () => {
    await mkdir(directory, { recursive: true });
    await writeFile(paths.native, native.output);
    await writeFile(paths.guest, guest?.output ?? "");
  });
  if (guest === undefined) return `it did not end in the guest`;
  const codes = native.code === guest.code ? "" : `exit codes: ${native.code} natively, ${guest.code} in the guest\n`;
  // --text: a program that goes astray may print anything.
  const { output } = await runCommand("diff", ["--unified=1", "--text", paths.native, paths.guest]);
  return `${codes}${firstLines(output)}`.trimEnd();
}

/** Why a boot as a whole is not right, with the end of what its console said. */
export function describeComplaint({ complaint, run }: Boot): string {
  const lines = run.console.trimEnd().split("\n");
  return `${complaint ?? ""}\nthe console's last lines:\n${lines.slice(-LINES).join("\n")}`;
}

function firstLines(text: string): string {
  const lines = text.trimEnd().split("\n");
  const more = lines.length > LINES ? `\n... ${lines.length - LINES} more lines` : "";
  return lines.slice(0, LINES).join("\n") + more;
}
