import type { ArchiveEntry } from "../../runtime/boot/cpio.ts";
import { buildInitramfs } from "../../runtime/boot/initramfs.ts";

export interface BusyboxInitramfsOptions {
  /** a busybox that needs no libraries */
  readonly busybox: Uint8Array;
  /** commands of the shell to run instead of an interactive one; the guest powers off after them */
  readonly script?: string;
  /** commands of the shell that run before that, once the modules are loaded */
  readonly setup?: string;
  /** first line on the screen */
  readonly banner?: string;
  /** further files; directories that lead to them are made. For kernel modules see `moduleEntries` */
  readonly extra?: readonly ArchiveEntry[];
}

const BANNER = "Welcome to Umbra. This is a shell of the guest: exit or poweroff switches it off.";

/** The root that a shell expects; busybox puts links to itself into the four folders for programs. */
const DIRECTORIES = [
  "bin",
  "sbin",
  "usr/bin",
  "usr/sbin",
  "dev",
  "proc",
  "sys",
  "run",
  "tmp",
  "root",
  "etc",
  "mnt",
] as const;

/**
 * First process of the guest, which prepares it and then becomes busybox's init: that one ends the guest when poweroff, reboot and halt
 * ask it to, as a shell in its place would not. The kernel hands on what it does not know of its command line: UMBRA_ROWS and UMBRA_COLUMNS, the
 * size of the terminal, which a serial line does not tell.
 */
const INIT = `#!/bin/busybox sh
/bin/busybox --install -s
export PATH=/sbin:/bin:/usr/sbin:/usr/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
hostname umbra
if [ -e /etc/modules-to-load ]; then
  while read module; do insmod "$module" || echo "init: cannot load $module"; done </etc/modules-to-load
fi
if [ -e /etc/umbra-setup ]; then . /etc/umbra-setup; fi
if [ -c /dev/hvc0 ]; then exec </dev/hvc0 >/dev/hvc0 2>&1; fi
if [ -e /etc/umbra-script ]; then
  cd /root
  cat /etc/motd
  sh /etc/umbra-script
  sync
  poweroff -f
fi
exec /sbin/init
`;

const INITTAB = `::once:/etc/umbra-shell
::shutdown:/etc/umbra-shutdown
`;

/** The shell at the terminal. Whoever leaves it need not wait for init, which gives every process a second to end. */
const SHELL = `#!/bin/sh
export HOME=/root TERM=linux
cd /root
cat /etc/motd
setsid cttyhack sh -l
/etc/umbra-shutdown
poweroff -f
`;

/** Disks are unmounted, so that the next boot finds them clean. */
const SHUTDOWN = `#!/bin/sh
sync
umount /mnt/* 2>/dev/null
`;

const PROFILE = `export PS1='\\u@\\h:\\w# '
if [ -n "$UMBRA_ROWS" ] && [ -n "$UMBRA_COLUMNS" ]; then stty rows "$UMBRA_ROWS" cols "$UMBRA_COLUMNS"; fi
`;

const encoder = new TextEncoder();

function file(path: string, text: string, mode = 0o644): ArchiveEntry {
  return { kind: "file", path, mode, bytes: encoder.encode(text) };
}

/** The smallest system with a shell: an initial RAM file system (not compressed) with busybox, and an init that starts it. */
export function busyboxInitramfs({
  busybox,
  script,
  setup,
  banner = BANNER,
  extra = [],
}: BusyboxInitramfsOptions): Uint8Array {
  return buildInitramfs([
    ...DIRECTORIES.map((path): ArchiveEntry => ({ kind: "directory", path, mode: path === "tmp" ? 0o1777 : 0o755 })),
    // The kernel opens the console before anything is mounted.
    { kind: "character", path: "dev/console", mode: 0o600, major: 5, minor: 1 },
    { kind: "character", path: "dev/null", mode: 0o666, major: 1, minor: 3 },
    { kind: "file", path: "bin/busybox", mode: 0o755, bytes: busybox },
    { kind: "link", path: "bin/sh", target: "busybox" },
    file("init", INIT, 0o755),
    file("etc/inittab", INITTAB),
    file("etc/umbra-shell", SHELL, 0o755),
    file("etc/umbra-shutdown", SHUTDOWN, 0o755),
    file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
    file("etc/group", "root:x:0:\n"),
    file("etc/profile", PROFILE),
    file("etc/motd", `${banner}\n`),
    ...(setup === undefined ? [] : [file("etc/umbra-setup", setup)]),
    ...(script === undefined ? [] : [file("etc/umbra-script", script)]),
    ...extra,
  ]);
}
