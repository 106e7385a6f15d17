import { element } from "./dom.ts";
import { type FileKind, inspectFile } from "./guest-files.ts";

/** Files of the person in front of the page, at most one of each kind. */
export type ChosenFiles = Readonly<Partial<Record<FileKind, File>>>;

export interface FileChooser {
  readonly chosen: ChosenFiles;
}

const NAMES: Readonly<Record<FileKind, string>> = { kernel: "kernel", initrd: "initrd", disk: "disk" };

/**
 * Takes files that are dropped on the page, or chosen.
 *
 * @param onChange the files are others now
 * @param onRefused a file that is none of what a machine takes, and why, as a sentence
 */
export function openFileChooser(
  onChange: (added: boolean) => void,
  onRefused: (file: File, why: string) => void,
): FileChooser {
  const chosen: Partial<Record<FileKind, File>> = {};
  const list = element("files", HTMLUListElement);
  const input = element("file", HTMLInputElement);
  const veil = element("drop", HTMLElement);

  const show = (): void => {
    const kinds = Object.keys(NAMES) as FileKind[];
    list.replaceChildren(
      ...kinds.flatMap((kind) => {
        const file = chosen[kind];
        if (!file) return [];
        const remove = (): void => {
          delete chosen[kind];
          show();
          onChange(false);
          element("choose", HTMLButtonElement).focus();
        };
        return [fileItem(file, kind, remove)];
      }),
    );
  };
  const take = async (files: Iterable<File>): Promise<void> => {
    let added = false;
    for (const file of files) {
      const kind = await inspectFile(file);
      if (typeof kind === "string") {
        chosen[kind] = file;
        added = true;
      } else onRefused(file, kind.refused);
    }
    show();
    if (added) onChange(true);
  };

  element("choose", HTMLButtonElement).addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    void take([...(input.files ?? [])]);
    input.value = "";
  });
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    veil.hidden = false;
  });
  addEventListener("dragleave", (event) => {
    // Without a place to go to, the pointer leaves the window.
    if (!event.relatedTarget) veil.hidden = true;
  });
  addEventListener("drop", (event) => {
    veil.hidden = true;
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    void take([...event.dataTransfer.files]);
  });
  return { chosen };
}

function fileItem(file: File, kind: FileKind, remove: () => void): HTMLLIElement {
  const item = document.createElement("li");
  const kindText = document.createElement("span");
  kindText.className = "file-kind";
  kindText.textContent = NAMES[kind];
  const name = document.createElement("span");
  name.className = "file-name";
  name.textContent = file.name;
  name.title = file.name;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Remove";
  button.ariaLabel = `Remove ${file.name}`;
  button.addEventListener("click", remove);
  item.append(kindText, name, button);
  return item;
}
