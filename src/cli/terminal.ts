/** What the user asks for with the escape key instead of typing. */
export type TerminalRequest = "quit" | "help";

/** Ctrl-A, as in other emulators of serial consoles. */
const ESCAPE = 0x01;

const HELP = `
Ctrl-A X  end the machine
Ctrl-A H  show this
Ctrl-A Ctrl-A  type Ctrl-A
`;

/**
 * Splits what is typed into what the guest gets and what is meant for us.
 *
 * The escape may be the last byte of one chunk and its key the first of the next.
 */
export class EscapeFilter {
  #escaped = false;

  /** @returns bytes for the guest, and requests in their order */
  feed(chunk: Uint8Array): { readonly bytes: Uint8Array; readonly requests: readonly TerminalRequest[] } {
    const bytes: number[] = [];
    const requests: TerminalRequest[] = [];
    for (const byte of chunk) {
      if (!this.#escaped) {
        if (byte === ESCAPE) this.#escaped = true;
        else bytes.push(byte);
        continue;
      }
      this.#escaped = false;
      const key = String.fromCharCode(byte).toLowerCase();
      if (key === "x") requests.push("quit");
      else if (key === "h" || key === "?") requests.push("help");
      else if (byte === ESCAPE) bytes.push(byte);
    }
    return { bytes: Uint8Array.from(bytes), requests };
  }
}

/** What a guest's console is attached to. */
export interface Console {
  write(bytes: Uint8Array): void;
  /** Gives the terminal back as it was. */
  close(): void;
}

/**
 * Attaches the process's terminal, in raw mode, or its pipes.
 *
 * @param onInput bytes for the guest
 * @param onQuit the user asked to end the machine: Ctrl-A X, or a signal (then its number plus 128 is the exit code)
 * @param onResize the terminal has another size
 */
export function attachTerminal(
  onInput: (bytes: Uint8Array) => void,
  onQuit: (exitCode: number) => void,
  onResize: () => void = () => undefined,
): Console {
  const { stdin, stdout, stderr } = process;
  const filter = new EscapeFilter();
  const onData = (chunk: Uint8Array): void => {
    const { bytes, requests } = filter.feed(chunk);
    if (bytes.length > 0) onInput(bytes);
    for (const request of requests) {
      if (request === "quit") onQuit(0);
      else stderr.write(stdin.isTTY ? HELP.replaceAll("\n", "\r\n") : HELP);
    }
  };
  const onInterrupt = (): void => onQuit(130);
  const onTerminate = (): void => onQuit(143);
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on("data", onData);
  stdout.on("resize", onResize);
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onTerminate);
  return {
    write: (bytes) => void stdout.write(bytes),
    close: () => {
      stdin.off("data", onData);
      stdout.off("resize", onResize);
      if (stdin.isTTY) stdin.setRawMode(false);
      stdin.pause();
      process.off("SIGINT", onInterrupt);
      process.off("SIGTERM", onTerminate);
    },
  };
}
