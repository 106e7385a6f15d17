import type { MachineOptions } from "umbra";

type Engine = NonNullable<MachineOptions["engine"]>;

/** What a person chooses before a start, remembered between visits. */
export interface Settings {
  readonly memoryMib: number;
  readonly engine: Engine;
  /** size of the disk that is kept in the browser; 0 for none */
  readonly diskMib: number;
}

const KEY = "umbra.settings";
const DEFAULTS: Settings = { memoryMib: 512, engine: "tiered", diskMib: 0 };

/** @param storage may refuse, as it does where cookies are blocked: then there is nothing to remember */
export function loadSettings(storage: () => Storage = () => localStorage): Settings {
  try {
    const saved: unknown = JSON.parse(storage().getItem(KEY) ?? "{}");
    return typeof saved === "object" && saved !== null ? checked(saved) : DEFAULTS;
  } catch {
    return DEFAULTS;
  }
}

export function saveSettings(settings: Settings, storage: () => Storage = () => localStorage): void {
  try {
    storage().setItem(KEY, JSON.stringify(settings));
  } catch {
    // They hold for this visit only.
  }
}

function checked(saved: Partial<Record<keyof Settings, unknown>>): Settings {
  const { memoryMib, engine, diskMib } = saved;
  return {
    memoryMib: isWhole(memoryMib) && memoryMib >= 64 ? memoryMib : DEFAULTS.memoryMib,
    engine: engine === "interpreter" || engine === "tiered" ? engine : DEFAULTS.engine,
    diskMib: isWhole(diskMib) && diskMib >= 0 ? diskMib : DEFAULTS.diskMib,
  };
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
