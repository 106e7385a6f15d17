import type { GuestFile } from "../guest-description.ts";
import type { ChosenFiles } from "./files.ts";
import { describeGuest, fetchGuestFile } from "./guest.ts";

/** What a machine boots. */
export interface DownloadedGuest {
  readonly kernel: Uint8Array | Blob;
  readonly kernelName: string;
  readonly initrd: Uint8Array | Blob | undefined;
  readonly commandLine: string;
  /** Debian's kernel with the page's own small system, whose boot is known step by step */
  readonly isOwn: boolean;
}

/** What a guest's first process shows on, whatever the kernel. */
const COMMAND_LINE = "console=ttyS0";

/**
 * Fetches what was not chosen. A kernel that was chosen gets no initrd but a chosen one.
 *
 * @param onProgress share from 0 to 1
 */
export async function downloadGuest(
  { kernel, initrd }: ChosenFiles,
  onProgress: (label: string, detail: string, share: number) => void,
  signal: AbortSignal,
): Promise<DownloadedGuest> {
  if (kernel) {
    return {
      kernel,
      kernelName: kernel.name,
      initrd,
      commandLine: COMMAND_LINE,
      isOwn: false,
    };
  }
  onProgress("Looking for the kernel", "", 0);
  const guest = await describeGuest(signal);
  const files: readonly GuestFile[] = initrd ? [guest.kernel] : [guest.kernel, guest.initrd];
  const total = files.reduce((sum, { byteLength }) => sum + byteLength, 0);
  let done = 0;
  const fetched = await Promise.all(
    files.map((file) =>
      fetchGuestFile(
        file,
        (bytes) => {
          done += bytes;
          onProgress(`Fetching ${guest.kernel.name}`, `${megabytes(done)} of ${megabytes(total)} MB`, done / total);
        },
        signal,
      ),
    ),
  );
  const [kernelBytes = new Uint8Array(), initrdBytes] = fetched;
  return {
    kernel: kernelBytes,
    kernelName: guest.kernel.name,
    initrd: initrd ?? initrdBytes,
    commandLine: guest.commandLine,
    isOwn: initrd === undefined,
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
