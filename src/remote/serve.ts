import { asError, toVmError, VmError, wireError } from "../errors.ts";
import { Session, type SessionConfig } from "../session/session.ts";
import type { SessionDisk } from "../session/session-disk.ts";
import type { FromMachine, Method, ToMachine } from "./protocol.ts";
import { RemoteDisk, RemoteDisks } from "./remote-disk.ts";

type Send = (message: FromMachine, transfer?: readonly ArrayBuffer[]) => void;

/** The worker's side of a machine: a function that takes messages. Whoever starts a worker connects it to the worker's port. */
export function serveMachine(send: Send): (message: ToMachine) => void {
  let session: Session | undefined;
  const disks = new RemoteDisks((id, disk, operation) => send({ kind: "diskRequest", id, disk, operation }));
  const open = async (config: SessionConfig): Promise<unknown> => {
    const connected = config.disks.map((disk) => connect(disk, disks));
    session = await Session.open({ ...config, disks: connected }, "worker", {
      output: (port, bytes) => send({ kind: "output", port, bytes }, [bytes.buffer as ArrayBuffer]),
      diskError: (error) => send({ kind: "diskError", error: wireError(error) }),
      translationError: (error) => send({ kind: "translationError", error: wireError(error) }),
      failed: () => undefined,
    });
    return { hosting: session.hosting };
  };
  const call = async (method: Method, args: readonly unknown[]): Promise<unknown> => {
    if (!session) throw new VmError("ERR_CLOSED", "the machine is closed");
    // The caller has typed them: the protocol names methods of one interface.
    const target = session as unknown as Record<Method, (...args: readonly unknown[]) => unknown>;
    return target[method](...args);
  };
  const answer = (id: number, work: Promise<unknown>): void => {
    work.then(
      (value) => send({ kind: "result", id, value }),
      (cause: unknown) => send({ kind: "failure", id, error: wireError(toVmError(cause)) }),
    );
  };
  return (message) => {
    switch (message.kind) {
      case "open":
        return answer(message.id, open(message.config));
      case "call":
        return answer(message.id, call(message.method, message.args));
      case "diskAnswer":
        return disks.answered(message.id, message.bytes, message.error && asError(message.error));
    }
  };
}

function connect(disk: SessionDisk, disks: RemoteDisks): SessionDisk {
  if (disk.kind === "overlay") return { kind: "overlay", base: connect(disk.base, disks) };
  return disk.kind === "remote" ? { kind: "own", disk: new RemoteDisk(disk, disks) } : disk;
}
