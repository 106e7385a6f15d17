import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { ROOT } from "./layout.ts";

/** What publint has to say of a package, suggestions included; empty when it is as it should be. */
export async function publintMessages(tarball: string): Promise<string[]> {
  const bytes = await readFile(tarball);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball: buffer as ArrayBuffer }, strict: true });
  return messages.map((message) => `${message.type}: ${formatMessage(message, pkg, { color: false })}`);
}

/** What "are the types wrong" prints, and whether it found anything. The package is for ES modules alone. */
export function typesReport(tarball: string): Promise<{ readonly isFine: boolean; readonly text: string }> {
  const program = join(ROOT, "node_modules/@arethetypeswrong/cli/dist/index.js");
  const args = [program, tarball, "--profile", "esm-only", "--no-color", "--no-emoji"];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve({ isFine: error === null, text: `${stdout}${stderr}` });
    });
  });
}
