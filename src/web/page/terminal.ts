import { FitAddon } from "@xterm/addon-fit";
import { type ITheme, Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";

/** Lines above the screen that can be scrolled back to. */
const SCROLLBACK = 5000;

/** Both themes have the contrast of text on every ground that a program is likely to choose. */
const DARK: ITheme = {
  background: "#0c0e12",
  foreground: "#dcdad3",
  cursor: "#e3a55c",
  cursorAccent: "#0c0e12",
  selectionBackground: "#3a4252",
  scrollbarSliderBackground: "#e7e6e11c",
  scrollbarSliderHoverBackground: "#e7e6e133",
  scrollbarSliderActiveBackground: "#e7e6e14d",
  black: "#20242c",
  red: "#f0837a",
  green: "#8cc793",
  yellow: "#e3b768",
  blue: "#86aef0",
  magenta: "#c79be6",
  cyan: "#74c3c9",
  white: "#cfcdc6",
  brightBlack: "#7b808c",
  brightRed: "#f7a29b",
  brightGreen: "#a8dbae",
  brightYellow: "#f0cc8c",
  brightBlue: "#a8c6f7",
  brightMagenta: "#dab9f0",
  brightCyan: "#9adadf",
  brightWhite: "#f4f3ee",
};

const LIGHT: ITheme = {
  background: "#ffffff",
  foreground: "#1c1f26",
  cursor: "#8a5514",
  cursorAccent: "#ffffff",
  selectionBackground: "#f0dcc2",
  scrollbarSliderBackground: "#1c1f2618",
  scrollbarSliderHoverBackground: "#1c1f262e",
  scrollbarSliderActiveBackground: "#1c1f2645",
  black: "#1c1f26",
  red: "#a82f28",
  green: "#2c6b3f",
  yellow: "#7d5a08",
  blue: "#2a56a8",
  magenta: "#7d3a9b",
  cyan: "#196a72",
  white: "#6b6f78",
  brightBlack: "#5c606b",
  brightRed: "#b83b33",
  brightGreen: "#2f7a46",
  brightYellow: "#856410",
  brightBlue: "#3163bd",
  brightMagenta: "#8a46a8",
  brightCyan: "#1f7680",
  brightWhite: "#4a4e57",
};

/** Keys that a phone's keyboard lacks. ECMA-48; the arrows are those of a VT100, whose programs may choose between two forms. */
const KEYS: Readonly<Record<string, string>> = { escape: "\x1b", tab: "\t", interrupt: "\x03" };
const ARROWS: Readonly<Record<string, string>> = { up: "A", down: "B", right: "C", left: "D" };

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  write(bytes: Uint8Array): void;
  clear(): void;
  focus(): void;
  /** Types a key by its name, as the bar of keys has them; "control" is held until the next character. */
  press(key: string): void;
  onControl(listener: (isHeld: boolean) => void): void;
}

/** @param onInput what is typed, as bytes for the guest */
export function openTerminal(parent: HTMLElement, onInput: (bytes: Uint8Array) => void): Screen {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const stillness = matchMedia("(prefers-reduced-motion: reduce)");
  const terminal = new Terminal({
    cursorBlink: !stillness.matches,
    fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"),
    fontSize: innerWidth < 500 ? 11 : 13,
    lineHeight: 1.2,
    scrollback: SCROLLBACK,
    theme: dark.matches ? DARK : LIGHT,
    // Reads out what is printed, to those who ask for it.
    screenReaderMode: false,
    minimumContrastRatio: 4.5,
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(parent);
  fit.fit();
  const encoder = new TextEncoder();
  let isControlHeld = false;
  let tellControl: (isHeld: boolean) => void = () => undefined;
  const holdControl = (isHeld: boolean): void => {
    if (isControlHeld !== isHeld) tellControl((isControlHeld = isHeld));
  };
  terminal.onData((text) => {
    const typed = isControlHeld ? controlCharacter(text) : text;
    holdControl(false);
    onInput(encoder.encode(typed));
  });
  terminal.onBinary((text) => onInput(Uint8Array.from(text, (character) => character.charCodeAt(0))));
  terminal.attachCustomKeyEventHandler((event) => !belongsToBrowser(event, terminal.hasSelection()));
  dark.addEventListener("change", () => (terminal.options.theme = dark.matches ? DARK : LIGHT));
  stillness.addEventListener("change", () => (terminal.options.cursorBlink = !stillness.matches));
  new ResizeObserver(() => fit.fit()).observe(parent);
  return {
    get columns() {
      return terminal.cols;
    },
    get rows() {
      return terminal.rows;
    },
    write: (bytes) => terminal.write(bytes),
    clear: () => terminal.reset(),
    focus: () => terminal.focus(),
    onControl: (listener) => (tellControl = listener),
    press(key) {
      if (key === "control") return holdControl(!isControlHeld);
      const arrow = ARROWS[key];
      const text = arrow ? `\x1b${terminal.modes.applicationCursorKeysMode ? "O" : "["}${arrow}` : KEYS[key];
      if (text !== undefined) terminal.input(text);
    },
  };
}

/**
 * Keys that the shell never sees. Tab is the shell's, but Shift-Tab leaves the terminal, so that the keyboard reaches the rest of the
 * page. Ctrl-V pastes; Ctrl-C copies where something is selected, and interrupts where nothing is.
 */
function belongsToBrowser({ key, ctrlKey, shiftKey, altKey }: KeyboardEvent, hasSelection: boolean): boolean {
  if (key === "Tab") return shiftKey;
  if (!ctrlKey || altKey) return false;
  return key.toLowerCase() === "v" || (key.toLowerCase() === "c" && hasSelection);
}

/** What a character becomes with Ctrl: ECMA-48, 5.2. What has no such form stays as it is. */
function controlCharacter(text: string): string {
  return /^[@-_a-z]$/.test(text) ? String.fromCharCode(text.charCodeAt(0) & 0x1f) : text;
}
