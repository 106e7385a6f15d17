import { readFileSync } from "node:fs";

/** The "flags" of the host's first processor. */
export function hostFlags(): ReadonlySet<string> {
  return new Set(field("flags").split(" "));
}

/** CPUID's vendor string. */
export function hostVendor(): string {
  return field("vendor_id");
}

export function hostModel(): string {
  return `${field("model name")} (family ${field("cpu family")}, model ${field("model")}, stepping ${field("stepping")})`;
}

function field(name: string): string {
  let text: string;
  try {
    text = readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return "";
  }
  const line = text.split("\n").find((each) => each.split(":")[0]?.trim() === name);
  return line?.slice(line.indexOf(":") + 1).trim() ?? "";
}
