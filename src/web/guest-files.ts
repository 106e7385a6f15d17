import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ArchiveEntry } from "../../runtime/boot/cpio.ts";
import { busyboxInitramfs } from "../boot/busybox-initramfs.ts";
import { writeWhole } from "../boot/cache.ts";
import { fetchDebian, type FetchProgress } from "../boot/debian.ts";
import { moduleEntries, moduleFiles, type ModuleFile } from "../boot/modules.ts";
import type { GuestDescription } from "./guest-description.ts";

/** Drivers that Debian's kernel has as modules: for the machine's devices, and for file systems of disks. */
const DEVICE_MODULES = ["virtio_pci", "virtio_rng", "virtio_blk"];
const DISK_MODULES = ["ext4"];

/**
 * Puts Debian's kernel, an initrd with a shell, and a description of both into a folder. They come from the user's cache, or into it.
 *
 * @throws {VmError} ERR_DOWNLOAD, ERR_TOOL, ERR_CONFIG, ERR_FILE
 */
export async function writeGuestFiles(directory: string, onProgress: (progress: FetchProgress) => void): Promise<void> {
  const debian = await fetchDebian({ onProgress });
  const kernel = await readFile(debian.kernel.path);
  const modules = await moduleFiles(debian.kernel.packagePath, [...DEVICE_MODULES, ...DISK_MODULES]);
  const lastDevice = modules.findLastIndex(({ name }) => DEVICE_MODULES.includes(name));
  const diskModules = modules.slice(lastDevice + 1);
  const initrd = busyboxInitramfs({
    busybox: await readFile(debian.busybox.path),
    setup: diskSetup(diskModules),
    extra: [...moduleEntries(modules.slice(0, lastDevice + 1)), ...diskModules.map(fileEntry)],
  });
  const description: GuestDescription = {
    kernel: { path: "vmlinuz", name: `Debian's kernel ${debian.kernel.version}`, byteLength: kernel.length },
    initrd: { path: "initrd.img", name: "a small system with busybox", byteLength: initrd.length },
    commandLine: "console=ttyS0 cryptomgr.notests",
  };
  await Promise.all([
    writeWhole(join(directory, description.kernel.path), kernel),
    writeWhole(join(directory, description.initrd.path), initrd),
    writeWhole(join(directory, "guest.json"), JSON.stringify(description, undefined, 2)),
  ]);
}

function modulePath(name: string): string {
  return `lib/modules/${name}.ko`;
}

function fileEntry({ name, bytes }: ModuleFile): ArchiveEntry {
  return { kind: "file", path: modulePath(name), bytes };
}

/**
 * Commands of the guest before its shell, where there are disks: one that is new gets a file system, and every one that has one is
 * mounted. What is written reaches the disk within seconds, because a page may be closed at any time.
 */
function diskSetup(modules: readonly ModuleFile[]): string {
  return `if [ -b /dev/vda ]; then
${modules.map(({ name }) => `  insmod /${modulePath(name)}`).join("\n")}
  echo 100 >/proc/sys/vm/dirty_writeback_centisecs
  echo 200 >/proc/sys/vm/dirty_expire_centisecs
  for disk in /dev/vd?; do
    folder=/mnt/\${disk#/dev/}
    if [ "$(dd if="$disk" bs=4096 count=1 2>/dev/null | tr -d '\\000' | wc -c)" -eq 0 ]; then
      mke2fs "$disk" >/dev/null 2>&1 && echo "New disk $disk: what is written to $folder is kept."
    fi
    mkdir -p "$folder"
    mount -t ext4 -o noatime "$disk" "$folder" 2>/dev/null || rmdir "$folder"
  done
fi
`;
}
