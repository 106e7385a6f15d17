import { element } from "./dom.ts";

/** A disk for each size that can be chosen, so that another choice never costs what a disk holds. */
export function keptDiskName(diskMib: number): string {
  return `umbra-disk-${diskMib}.img`;
}

/** Whether this browser has a file system of the page's own. Storage Standard; File System Standard, 4 */
export function canKeepDisk(): boolean {
  return typeof navigator.storage?.getDirectory === "function";
}

/**
 * Shows what there is to say of the disk that is kept, and a button that erases it.
 *
 * @param diskMib of the chosen disk; 0 for none
 * @param erase called when the person has confirmed it
 */
export async function showKeptDisk(diskMib: number, erase: (name: string) => Promise<void>): Promise<void> {
  const hint = element("disk-hint", HTMLElement);
  const select = element("disk-size", HTMLSelectElement);
  if (!canKeepDisk()) {
    select.disabled = true;
    hint.textContent = "Disks can be kept only where this page comes by HTTPS, or from localhost.";
    return;
  }
  hint.hidden = diskMib === 0;
  if (diskMib === 0) return;
  const name = keptDiskName(diskMib);
  if ((await keptBytes(name)) === undefined) {
    const room = await roomMib();
    hint.textContent =
      room < diskMib
        ? `This browser gives the page room for ${room} MiB only: what is written beyond that fails.`
        : "A new disk, which this browser keeps between visits: /mnt/vda in the guest.";
    return;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link";
  button.textContent = "Erase it";
  button.addEventListener("click", () => {
    if (!confirm(`Erase the disk of ${diskMib} MiB and all that is on it?`)) return;
    void erase(name).then(() => showKeptDisk(diskMib, erase));
  });
  hint.replaceChildren("Kept from an earlier start: /mnt/vda in the guest. ", button);
}

/** Asks the browser not to clear away disks when room gets scarce; it may refuse. Storage Standard, 5.2 */
export async function keepDisks(): Promise<void> {
  await navigator.storage?.persist?.().catch(() => false);
}

/** Mebibytes that this browser lets the page store yet; Infinity where it does not say. */
async function roomMib(): Promise<number> {
  const { quota, usage = 0 } = await navigator.storage.estimate().catch((): StorageEstimate => ({}));
  return quota === undefined ? Infinity : Math.max(0, Math.floor((quota - usage) / (1 << 20)));
}

/** Bytes of a kept disk; undefined when there is none. */
async function keptBytes(name: string): Promise<number | undefined> {
  try {
    const directory = await navigator.storage.getDirectory();
    const file = await (await directory.getFileHandle(name)).getFile();
    return file.size;
  } catch {
    return undefined;
  }
}

/** @throws DOMException while a machine has the disk */
export async function eraseKeptDisk(name: string): Promise<void> {
  const directory = await navigator.storage.getDirectory();
  await directory.removeEntry(name);
}
