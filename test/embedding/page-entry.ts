// Run by a browser: puts `startWork` where the test finds it. The files that it needs lie beside it.
import * as umbra from "umbra";
import type { LastingDisk } from "./surroundings.ts";
import { doWork, type Report, type Work } from "./work.ts";

declare global {
  // eslint-disable-next-line no-var
  var startWork: (work: Work) => Promise<Report>;
}

const OPFS_NAME = "umbra.img";

async function load(name: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(name)).arrayBuffer());
}

const opfs: LastingDisk = {
  description: umbra.opfsDisk(OPFS_NAME),
  async make(bytes) {
    const file = await (await navigator.storage.getDirectory()).getFileHandle(OPFS_NAME, { create: true });
    const stream = await file.createWritable();
    await stream.write(bytes);
    await stream.close();
  },
  async read() {
    const file = await (await navigator.storage.getDirectory()).getFileHandle(OPFS_NAME);
    return new Uint8Array(await (await file.getFile()).arrayBuffer());
  },
};

globalThis.startWork = async (work) =>
  doWork(
    {
      umbra,
      kernel: await load("kernel"),
      initrd: await load("initrd"),
      busybox: await load("busybox"),
      diskUrl: new URL("disk.img", location.href).href,
      lasting: {
        file: {
          description: umbra.fileDisk("/umbra.img"),
          make: async () => undefined,
          read: async () => new Uint8Array(0),
        },
        opfs,
      },
    },
    work,
  );
