import { spawnSync } from "node:child_process";
import { VmError } from "../../errors.ts";

/** Exit code of flock(1) for a lock that somebody else has: one that it does not use itself. */
const CONFLICT = 91;

/**
 * Locks an open file until it is closed, by this process or by its end.
 *
 * Node.js cannot lock files. A lock of flock(2) belongs to the open file, which a child process shares, so that the program flock can
 * take it for us and stays behind as nothing but the lock.
 *
 * @throws {VmError} ERR_DISK_LOCKED when somebody else has it, ERR_TOOL when the program is missing or fails
 */
export function lockFile(fd: number, path: string, kind: "shared" | "exclusive"): void {
  const args = ["--nonblock", "--conflict-exit-code", String(CONFLICT), `--${kind}`, "3"];
  const { status, error, stderr } = spawnSync("flock", args, { stdio: ["ignore", "ignore", "pipe", fd] });
  if (status === 0) return;
  if (status === CONFLICT) {
    const wanted =
      kind === "shared"
        ? "another machine may write it, expected none that does"
        : "expected no other machine that uses it";
    throw new VmError("ERR_DISK_LOCKED", `disk ${path} is locked: ${wanted}`);
  }
  const missing = error && "code" in error && error.code === "ENOENT";
  const reason = error?.message ?? (stderr.toString().trim().split("\n")[0] || `it ended with code ${String(status)}`);
  throw new VmError(
    "ERR_TOOL",
    missing
      ? `flock is missing, which locks disk images; install the package util-linux of your system`
      : `cannot lock disk ${path}: flock: ${reason}`,
    { cause: error },
  );
}
