import { VmError } from "../../src/errors.ts";
import { RUNNER, type Size } from "./programs.ts";
import { type RootFileSystem, runTool } from "./root-file-system.ts";

/**
 * The tree, read-only, with what a running system mounts, in namespaces of its own that end with it. There is no network, as in the
 * guest.
 */
const CHROOT = `set -e
tree=$1 work=$2
shift 2
mount --bind "$tree" "$tree"
mount -o remount,bind,ro "$tree"
mount -t proc proc "$tree/proc"
mount --rbind /sys "$tree/sys"
mount --rbind /dev "$tree/dev"
mount -t tmpfs tmpfs "$tree/tmp"
mount --bind "$work" "$tree/work"
cd /
exec chroot "$tree" /bin/bash "$@"
`;

/**
 * Runs programs on this machine, in the tree of the Debian system.
 *
 * @param work as `fillWorkDirectory` makes it; gets the results
 * @throws {VmError} ERR_TOOL when this process may not do that
 */
export async function runNatively(
  { tree }: RootFileSystem,
  work: string,
  size: Size,
  names: readonly string[],
): Promise<void> {
  const namespaces = ["--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child"];
  const { code, errors } = await runTool("unshare", [
    ...namespaces,
    "/bin/sh",
    "-c",
    CHROOT,
    "sh",
    tree,
    work,
    `/work/${RUNNER}`,
    size,
    ...names,
  ]);
  if (code !== 0)
    throw new VmError(
      "ERR_TOOL",
      `cannot run programs in ${tree}: ${errors.trim().split("\n").at(-1) ?? `code ${code}`}`,
    );
}
