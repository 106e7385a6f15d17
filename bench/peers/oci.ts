/**
 * The description of a container for one program: every namespace of its own, no capabilities, no network.
 *
 * @param args of the process, the program first
 * @see OCI Runtime Specification 1.0, config.md
 */
export function bundle(args: readonly string[], environment: Readonly<Record<string, string>>): object {
  const hidden = ["nosuid", "noexec", "nodev"];
  return {
    ociVersion: "1.0.2",
    root: { path: "rootfs", readonly: true },
    hostname: "umbra",
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args,
      env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      cwd: "/tmp",
      noNewPrivileges: true,
    },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc", options: hidden },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755", "size=64k"] },
      { destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=1777"] },
    ],
    linux: {
      namespaces: ["pid", "network", "ipc", "uts", "mount"].map((type) => ({ type })),
    },
  };
}
