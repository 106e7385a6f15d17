/** How far a boot is. */
export interface BootStep {
  readonly label: string;
  /** from 0 to 1 */
  readonly share: number;
}

/** What Debian's kernel and the small system print, in their order, and the share of the time of a boot that has passed by then. */
const MILESTONES: readonly (BootStep & { readonly text: string })[] = [
  { text: "Linux version", label: "Kernel unpacked", share: 0.36 },
  { text: "Freeing SMP alternatives", label: "Memory mapped", share: 0.52 },
  { text: "PCI: Using configuration", label: "Processor identified", share: 0.57 },
  { text: "Trying to unpack rootfs", label: "Devices found", share: 0.72 },
  { text: "Freeing initrd memory", label: "Starting drivers", share: 0.75 },
  { text: "Freeing unused kernel", label: "Starting the first process", share: 0.9 },
];

/** The first prompt of the small system's shell. */
const READY = "Welcome to Umbra";
/** characters of one text, at most: what is kept to find those that come in two parts */
const LONGEST = 64;

/** Follows a boot by what the serial port prints. */
export class BootProgress {
  #tail = "";
  #next = 0;
  /** the shell has greeted */
  isReady = false;

  /**
   * @param text what the guest has printed since
   * @returns the latest step that was reached; undefined when none was
   */
  feed(text: string): BootStep | undefined {
    if (this.isReady) return undefined;
    const seen = this.#tail + text;
    this.#tail = seen.slice(-LONGEST);
    if (seen.includes(READY)) {
      this.isReady = true;
      return { label: "Ready", share: 1 };
    }
    let step: BootStep | undefined;
    for (let index = this.#next; index < MILESTONES.length; index++) {
      const milestone = MILESTONES[index];
      if (!milestone || !seen.includes(milestone.text)) continue;
      step = milestone;
      this.#next = index + 1;
    }
    return step;
  }
}
