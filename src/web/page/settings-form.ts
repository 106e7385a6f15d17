import { element } from "./dom.ts";
import { loadSettings, saveSettings, type Settings } from "./settings.ts";

export interface SettingsForm {
  /** as the form has them now */
  readonly settings: Settings;
}

/** Fills in the form, and remembers what is changed. */
export function openSettingsForm(onChange: () => void): SettingsForm {
  const memory = element("memory", HTMLSelectElement);
  const engine = element("engine", HTMLSelectElement);
  const disk = element("disk-size", HTMLSelectElement);
  const saved = loadSettings();
  choose(memory, String(saved.memoryMib));
  choose(engine, saved.engine);
  choose(disk, String(saved.diskMib));
  const read = (): Settings => ({
    memoryMib: Number(memory.value),
    engine: engine.value === "interpreter" ? "interpreter" : "tiered",
    diskMib: Number(disk.value),
  });
  for (const select of [memory, engine, disk])
    select.addEventListener("change", () => {
      saveSettings(read());
      onChange();
    });
  return {
    get settings() {
      return read();
    },
  };
}

/** Leaves the form's own choice where a value that was saved is offered no more. */
function choose(select: HTMLSelectElement, value: string): void {
  if ([...select.options].some((option) => option.value === value)) select.value = value;
}
