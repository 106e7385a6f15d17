import { spawn } from "node:child_process";
import { basename } from "node:path";
import { VmError } from "../errors.ts";
import { hasProgram } from "./command.ts";
import { readTar, TarError, type TarMember } from "./tar.ts";

/**
 * Reads files of a Debian package, which dpkg-deb unpacks; nothing is installed or written.
 *
 * @param path of the .deb file
 * @param wanted asked with each file's path, which has no leading slash
 * @param first stop after this many files
 * @throws {VmError} ERR_TOOL when dpkg-deb is missing, ERR_DOWNLOAD when the package is damaged
 */
export async function readPackageFiles(
  path: string,
  wanted: (path: string) => boolean,
  first = Infinity,
): Promise<TarMember[]> {
  if (!hasProgram("dpkg-deb")) {
    throw new VmError(
      "ERR_TOOL",
      "dpkg-deb is missing, which unpacks Debian packages; install the package dpkg of your system",
    );
  }
  const child = spawn("dpkg-deb", ["--fsys-tarfile", path], { stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const ended = new Promise<number>((resolve) => {
    child.on("error", () => resolve(127));
    child.on("close", (code) => resolve(code ?? 1));
  });
  const stop = (): Promise<number> => {
    // A stream that nobody reads keeps the child from closing.
    child.stdout.destroy();
    child.kill();
    return ended;
  };
  const found: TarMember[] = [];
  try {
    for await (const member of readTar(child.stdout, wanted)) {
      if (member.kind === "file" && wanted(member.path)) found.push(member);
      if (found.length >= first) {
        await stop();
        return found;
      }
    }
  } catch (cause) {
    await stop();
    if (!(cause instanceof TarError)) throw cause;
    throw new VmError("ERR_DOWNLOAD", `${basename(path)}: ${cause.message}`, { cause });
  }
  child.stdout.resume();
  const code = await ended;
  if (code !== 0) {
    const reason = /^dpkg-deb: error: (.+)$/m.exec(errors)?.[1] ?? `dpkg-deb ended with code ${code}`;
    throw new VmError("ERR_DOWNLOAD", `${basename(path)}: ${reason}`);
  }
  return found;
}
