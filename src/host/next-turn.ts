/** Calls back after what waits in the host's event loop. Browsers have no setImmediate, and their setTimeout waits for 4 ms. */
const later: (callback: () => void) => void = "setImmediate" in globalThis ? setImmediate : messageChannelTurn();

function messageChannelTurn(): (callback: () => void) => void {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return (callback) => {
    waiting.push(callback);
    port2.postMessage(undefined);
  };
}

/** Gives the host's event loop a turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => later(resolve));
}
