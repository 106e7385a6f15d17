import { describeExit, describeFailure, describePhase, PANIC } from "./words.ts";
import { openCharts } from "./charts.ts";
import { element } from "./dom.ts";
import { FigureTracker } from "./figures.ts";
import { openFileChooser } from "./files.ts";
import { describeHosting, describeSupport, surroundings } from "./isolation.ts";
import { eraseKeptDisk, showKeptDisk } from "./kept-disk.ts";
import { openNotice } from "./notice.ts";
import { openProgress } from "./progress.ts";
import { download, SerialLog } from "./serial-log.ts";
import { type Phase, Session } from "./session.ts";
import { openSettingsForm } from "./settings-form.ts";
import { openTerminal } from "./terminal.ts";

/** milliseconds between two looks at the machine */
const LOOK_MS = 500;

const support = describeSupport(surroundings());
const notice = openNotice(element("notice", HTMLElement));
const progress = openProgress();
const charts = openCharts(element("charts", HTMLElement));
const log = new SerialLog();
let tracker = new FigureTracker(performance.now());

const buttons = {
  pause: element("pause", HTMLButtonElement),
  reset: element("reset", HTMLButtonElement),
  power: element("power", HTMLButtonElement),
  saveLog: element("save-log", HTMLButtonElement),
  start: element("start", HTMLButtonElement),
};

const session = new Session({
  phase(phase, exit) {
    showPhase(phase);
    if (phase === "off") showDisk();
    if (exit) notice.show(...describeExit(exit), "information");
  },
  made(machine) {
    element("isolation", HTMLElement).textContent = `${describeHosting(machine.hosting)} ${support.text}`;
  },
  progress: (label, detail, share) => progress.show(label, detail, share),
  output(bytes) {
    screen.write(bytes);
    log.add(bytes);
    buttons.saveLog.disabled = false;
  },
  panicked: () => notice.show(...PANIC, "error"),
  failed: (error) => notice.show(...describeFailure(error), "error"),
});
const screen = openTerminal(element("terminal", HTMLElement), (bytes) => session.write(bytes));
const form = openSettingsForm(() => showDisk());
const chooser = openFileChooser(
  (added) => {
    if (added) void start();
  },
  (file, why) => notice.show(`${file.name} cannot be used`, why, "error"),
);

function showDisk(): void {
  void showKeptDisk(form.settings.diskMib, erase);
}

async function erase(name: string): Promise<void> {
  try {
    await eraseKeptDisk(name);
  } catch {
    notice.show("The disk is in use", "Power the machine off first, here and in other tabs.", "error");
  }
}

function showPhase(phase: Phase): void {
  const status = element("status", HTMLElement);
  status.dataset["phase"] = phase;
  element("status-text", HTMLElement).textContent = describePhase(phase);
  document.body.dataset["phase"] = phase;
  const isOn = phase === "booting" || phase === "running" || phase === "paused";
  buttons.pause.disabled = !isOn;
  buttons.pause.textContent = phase === "paused" ? "Resume" : "Pause";
  buttons.reset.disabled = !isOn;
  buttons.power.disabled = phase === "loading" || !support.canRun;
  buttons.power.textContent = isOn || phase === "loading" ? "Power off" : "Power on";
  buttons.start.textContent = isOn || phase === "loading" ? "Start anew" : "Start";
  if (phase !== "loading" && phase !== "booting") progress.hide();
}

async function start(): Promise<void> {
  notice.hide();
  screen.clear();
  log.clear();
  charts.clear();
  tracker = new FigureTracker(performance.now());
  const { columns, rows } = screen;
  await session.start({ settings: form.settings, files: chooser.chosen, columns, rows });
}

async function look(): Promise<void> {
  if (document.hidden) return;
  const stats = await session.stats();
  if (stats) charts.add(tracker.next(stats, performance.now()));
}

/** Runs what a button asks for, and tells what comes of it if it fails. */
function onClick(button: HTMLButtonElement, work: () => Promise<void>): void {
  button.addEventListener("click", () => {
    work().catch((error: unknown) => notice.show(...describeFailure(error), "error"));
  });
}

onClick(buttons.pause, () => session.togglePause());
onClick(buttons.reset, async () => {
  notice.hide();
  screen.clear();
  await session.reset();
});
onClick(buttons.power, () => (session.isOn ? session.powerOff() : start()));
onClick(buttons.saveLog, async () => download(log.toBlob(), "umbra-serial.log"));
element("settings", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  void start();
  screen.focus();
});
for (const key of document.querySelectorAll<HTMLButtonElement>("[data-key]"))
  key.addEventListener("click", () => {
    screen.press(key.dataset["key"] ?? "");
    screen.focus();
  });
screen.onControl((isHeld) => (element("control", HTMLButtonElement).ariaPressed = String(isHeld)));

element("isolation", HTMLElement).textContent = support.text;
showPhase("idle");
showDisk();
if (!support.canRun) notice.show("This browser cannot run Umbra", support.text, "error");
else {
  setInterval(() => void look(), LOOK_MS);
  void start();
  // Not on a phone, where the keyboard would cover half of the page before anybody asked for it.
  if (matchMedia("(pointer: fine)").matches) screen.focus();
}
