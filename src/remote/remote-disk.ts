import type { Disk } from "../../runtime/disk/disk.ts";
import { toVmError, wireError } from "../errors.ts";
import type { RemoteDiskDescription } from "../session/session-disk.ts";
import type { DiskOperation, ToMachine } from "./protocol.ts";

type Answer = (bytes: Uint8Array | undefined, error: Error | undefined) => void;

/** Requests to the disks at the other end of a channel. */
export class RemoteDisks {
  readonly #send: (id: number, disk: number, operation: DiskOperation) => void;
  readonly #waiting = new Map<number, Answer>();
  #next = 0;

  constructor(send: (id: number, disk: number, operation: DiskOperation) => void) {
    this.#send = send;
  }

  request(disk: number, operation: DiskOperation): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, (bytes, error) => (error ? reject(error) : resolve(bytes)));
      this.#send(id, disk, operation);
    });
  }

  answered(id: number, bytes: Uint8Array | undefined, error: Error | undefined): void {
    const answer = this.#waiting.get(id);
    this.#waiting.delete(id);
    answer?.(bytes, error);
  }
}

/** A disk at the other end of a channel. Whoever made it closes it there. */
export class RemoteDisk implements Disk {
  readonly sectors: number;
  readonly readOnly: boolean;
  readonly synchronous = false;
  readonly id: string;
  readonly #index: number;
  readonly #disks: RemoteDisks;

  constructor({ index, sectors, readOnly, id }: RemoteDiskDescription, disks: RemoteDisks) {
    this.#index = index;
    this.sectors = sectors;
    this.readOnly = readOnly;
    this.id = id;
    this.#disks = disks;
  }

  async read(sector: number, into: Uint8Array): Promise<void> {
    const bytes = await this.#request({ kind: "read", sector, byteLength: into.length });
    if (bytes) into.set(bytes);
  }

  async write(sector: number, from: Uint8Array): Promise<void> {
    await this.#request({ kind: "write", sector, bytes: from });
  }

  async writeZeroes(sector: number, count: number): Promise<void> {
    await this.#request({ kind: "writeZeroes", sector, count });
  }

  async flush(): Promise<void> {
    await this.#request({ kind: "flush" });
  }

  close(): void {}

  #request(operation: DiskOperation): Promise<Uint8Array | undefined> {
    return this.#disks.request(this.#index, operation);
  }
}

/** Does what the other end asks of a disk of this thread. */
export async function answerDisk(disk: Disk | undefined, id: number, operation: DiskOperation): Promise<ToMachine> {
  try {
    const bytes = disk && (await perform(disk, operation));
    return { kind: "diskAnswer", id, ...(bytes && { bytes }) };
  } catch (cause) {
    return { kind: "diskAnswer", id, error: wireError(toVmError(cause, "ERR_DISK_IO")) };
  }
}

async function perform(disk: Disk, operation: DiskOperation): Promise<Uint8Array | undefined> {
  switch (operation.kind) {
    case "read": {
      const bytes = new Uint8Array(operation.byteLength);
      await disk.read(operation.sector, bytes);
      return bytes;
    }
    case "write":
      await disk.write(operation.sector, operation.bytes);
      return undefined;
    case "writeZeroes":
      await disk.writeZeroes(operation.sector, operation.count);
      return undefined;
    case "flush":
      await disk.flush();
      return undefined;
  }
}
