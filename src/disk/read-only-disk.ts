import type { Disk } from "../../runtime/disk/disk.ts";
import { VmError } from "../errors.ts";

/** A disk that cannot be written, and answers when it likes. Devices refuse what a guest writes to it before they ask. */
export abstract class ReadOnlyDisk implements Disk {
  readonly readOnly = true;
  readonly synchronous = false;
  abstract readonly sectors: number;
  abstract readonly id: string;

  abstract read(sector: number, into: Uint8Array): Promise<void>;

  write(): Promise<void> {
    return Promise.reject(new VmError("ERR_DISK_IO", `disk ${this.id} cannot be written`));
  }

  writeZeroes(): Promise<void> {
    return this.write();
  }

  flush(): void {}
  close(): void {}
}
