import type { GuestDescription, GuestFile } from "../guest-description.ts";

const DESCRIPTION = new URL("guest/guest.json", document.baseURI);

/** @throws Error in words for the person in front of the page */
export async function describeGuest(signal: AbortSignal): Promise<GuestDescription> {
  const response = await request(DESCRIPTION, signal);
  return (await response.json()) as GuestDescription;
}

/**
 * Fetches a file of the guest.
 *
 * @param onProgress bytes that have come since the last call, after decompression
 * @throws Error in words for the person in front of the page
 */
export async function fetchGuestFile(
  file: GuestFile,
  onProgress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const response = await request(new URL(file.path, DESCRIPTION), signal);
  const bytes = new Uint8Array(file.byteLength);
  let done = 0;
  for (const reader = response.body?.getReader(); reader;) {
    const { done: isEnd, value } = await reader.read();
    if (isEnd) break;
    if (done + value.length > bytes.length) throw new Error(`${file.path} is longer than the page expects: reload it.`);
    bytes.set(value, done);
    done += value.length;
    onProgress(value.length);
  }
  if (done < bytes.length) throw new Error(`${file.path} came cut short: ${done} of ${bytes.length} bytes.`);
  return bytes;
}

async function request(url: URL, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new Error(`${url.pathname} cannot be fetched: is the server still there?`, { cause });
  }
  if (!response.ok) throw new Error(`${url.pathname} cannot be fetched: the server answers ${response.status}.`);
  return response;
}
