import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { runCommand } from "../../src/boot/command.ts";
import { buildProgram } from "../slowdown/programs.ts";
import type { Availability, Engine, Launch, Plan, PlanItem } from "./engine.ts";
import { bundle } from "./oci.ts";
import { versionOf } from "./native.ts";

const IMAGE = "umbra-slowdown";

/** One way to run a program in namespaces of its own. */
interface Runtime {
  readonly program: string;
  readonly install: string;
  /** Prepares what the commands need; returns the command for one item. */
  command(plan: Plan, item: PlanItem, index: number): Promise<Launch["command"]>;
}

const tail = ({ program, args }: PlanItem): readonly string[] => [`/${basename(program)}`, ...args];

/** docker and podman take an image, here one that holds nothing but the program. */
function imageRuntime(program: string, install: string): Runtime {
  return {
    program,
    install,
    async command(plan, item) {
      // The folder of a program in the cache is named by its hash: an image is made once for each program.
      const image = `${IMAGE}:${basename(dirname(item.program))}`;
      if ((await runCommand(program, ["image", "inspect", image])).code !== 0) {
        const root = join(plan.folder, `image-${item.suite}`);
        await mkdir(root, { recursive: true });
        await copyFile(item.program, join(root, basename(item.program)));
        const archive = `${root}.tar`;
        await runCommand("tar", ["-C", root, "-cf", archive, "."]);
        await runCommand(program, ["import", archive, image]);
      }
      const environment = Object.entries(plan.environment).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
      return [
        program,
        ...["run", "--rm", "--network", "none", "--tmpfs", "/tmp", "--workdir", "/tmp"],
        ...environment,
        image,
        ...tail(item),
      ];
    },
  };
}

/** crun and runc take a bundle: a root file system and a description of the container. */
function bundleRuntime(program: string): Runtime {
  return {
    program,
    install: `apt-get install ${program}`,
    async command(plan, item, index) {
      const directory = join(plan.folder, `bundle-${index}-${item.suite}`);
      const root = join(directory, "rootfs");
      for (const name of ["proc", "dev", "sys", "tmp"]) await mkdir(join(root, name), { recursive: true });
      await copyFile(item.program, join(root, basename(item.program)));
      await writeFile(join(directory, "config.json"), JSON.stringify(bundle(tail(item), plan.environment), null, 2));
      const id = `umbra-${process.pid}-${Date.now().toString(36)}-${index}`;
      return [program, "--root", join(plan.folder, "state"), "run", "--bundle", directory, id];
    },
  };
}

const bubblewrap: Runtime = {
  program: "bwrap",
  install: "apt-get install bubblewrap",
  async command(plan, item) {
    const environment = Object.entries(plan.environment).flatMap(([name, value]) => ["--setenv", name, value]);
    return [
      "bwrap",
      ...["--unshare-all", "--die-with-parent", "--ro-bind", item.program, `/${basename(item.program)}`],
      ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/tmp", ...environment],
      ...tail(item),
    ];
  },
};

/** Runs a short program in the container: only what has worked counts. */
async function probeRuntime(runtime: Runtime): Promise<Availability> {
  const version = await versionOf(runtime.program);
  if (version === undefined) {
    return { usable: false, reason: `${runtime.program} is not installed`, install: runtime.install };
  }
  const folder = await mkdtemp(join(tmpdir(), "umbra-container-"));
  try {
    const item: PlanItem = {
      suite: "os",
      program: await buildProgram("os", 64),
      args: ["--quick", "--reps", "1", "getppid", "exec"],
    };
    const [program, ...args] = await runtime.command({ items: [item], environment: {}, folder }, item, 0);
    const { code, output, errors } = await runCommand(program, args);
    if (code === 0 && output.includes("@done")) return { usable: true, version };
    const [said = ""] = errors.trim().split("\n");
    return {
      usable: false,
      reason: `${runtime.program} cannot start a container here: ${said === "" ? `it ended with code ${code}` : said}`,
      install: `make "${runtime.program} run" work for this user`,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function container(name: string, about: string, runtime: Runtime): Engine {
  let probed: Promise<Availability> | undefined;
  return {
    name,
    about,
    word: 64,
    expectedSlowdown: 1,
    expectedStart: 1,
    probe: () => (probed ??= probeRuntime(runtime)),
    launches: (plan) =>
      Promise.all(
        plan.items.map(async (item, index): Promise<Launch> => ({
          command: await runtime.command(plan, item, index),
          suites: [item.suite],
          kind: "program",
        })),
      ),
  };
}

/** In the order in which `container` tries them. */
export const CONTAINERS: readonly Engine[] = [
  container("docker", "a container of Docker's", imageRuntime("docker", "apt-get install docker.io")),
  container("podman", "a container of Podman's", imageRuntime("podman", "apt-get install podman")),
  container("crun", "an OCI container of crun's: namespaces and a cgroup", bundleRuntime("crun")),
  container("runc", "an OCI container of runc's: namespaces and a cgroup", bundleRuntime("runc")),
  container("bubblewrap", "a container of bubblewrap's: namespaces", bubblewrap),
];

/** The first of them that works. */
async function firstThatWorks(): Promise<{ engine: Engine; availability: Availability } | string> {
  const reasons: string[] = [];
  for (const engine of CONTAINERS) {
    const availability = await engine.probe();
    if (availability.usable) return { engine, availability };
    reasons.push(availability.reason);
  }
  return reasons.join("; ");
}

export const anyContainer: Engine = {
  name: "container",
  about: "the first of docker, podman, crun, runc and bubblewrap that works",
  word: 64,
  expectedSlowdown: 1,
  expectedStart: 1,
  async probe() {
    const found = await firstThatWorks();
    if (typeof found === "string") return { usable: false, reason: found, install: "apt-get install bubblewrap" };
    const { engine, availability } = found;
    return availability.usable ? { ...availability, version: `${engine.name}: ${availability.version}` } : availability;
  },
  async launches(plan) {
    const found = await firstThatWorks();
    return typeof found === "string" ? [] : found.engine.launches(plan);
  },
};
