import { hasProgram, runCommand } from "../../src/boot/command.ts";

/** From where debootstrap fetches packages. */
export interface DebootstrapSource {
  /** undefined: what debootstrap takes by itself */
  readonly mirror: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * The mirror and the proxy that this machine fetches Debian's packages from: UMBRA_DEBIAN_MIRROR, else what apt is configured with,
 * which debootstrap does not read.
 */
export async function debootstrapSource(
  suite: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<DebootstrapSource> {
  const given = environment["UMBRA_DEBIAN_MIRROR"];
  if (!hasProgram("apt-get", environment["PATH"])) return { mirror: given === "" ? undefined : given, environment: {} };
  const format = "$(CREATED_BY) $(COMPONENT) $(RELEASE) $(REPO_URI) $(ORIGIN)";
  const [plain, described, proxies] = await Promise.all([
    // Without its lists of packages apt knows no origins, but all that its configuration says.
    runCommand("apt-get", ["indextargets", "--no-release-info", "--format", format]),
    runCommand("apt-get", ["indextargets", "--format", format]),
    runCommand("apt-config", ["dump"]),
  ]);
  const mirror = given !== undefined && given !== "" ? given : mirrorOf(`${plain.output}\n${described.output}`, suite);
  return { mirror, environment: proxyVariables(proxies.output, environment) };
}

/**
 * Picks the mirror out of apt's index targets: the one that has the suite, else any of Debian's, whose suites are all in one place.
 *
 * @param targets lines "Packages main bookworm URI Debian", where the origin may be missing
 */
export function mirrorOf(targets: string, suite: string): string | undefined {
  const candidates = targets
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([kind, component, , uri]) => kind === "Packages" && component === "main" && /^https?:/.test(uri ?? ""));
  const exact = candidates.find(([, , release]) => release === suite);
  // The suites of security updates are on a mirror of their own, and they have a hyphen.
  const debian = candidates.find(([, , release, , origin]) => origin === "Debian" && !release?.includes("-"));
  return (exact ?? debian)?.[3]?.replace(/\/+$/, "");
}

/** What debootstrap's wget reads, out of `apt-config dump`; variables that are set already stay. */
export function proxyVariables(
  dump: string,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const scheme of ["http", "https"]) {
    const name = `${scheme}_proxy`;
    const proxy = new RegExp(`^Acquire::${scheme}::Proxy "(.+)";$`, "mi").exec(dump)?.[1];
    if (proxy !== undefined && proxy !== "DIRECT" && environment[name] === undefined) variables[name] = proxy;
  }
  return variables;
}
