// Real-time text in both directions; what a step is and means stands in rtt.ts.

import { COLLECT_MS, keep, type Lines, read, Writer } from "./rtt";

/** What real-time text needs of the call. */
export interface Carrier {
  /** Sends a step to everybody. */
  send: (packet: Uint8Array<ArrayBuffer>) => void;
  /** The texts being written have changed. */
  changed: (lines: Lines) => void;
}

export class LiveText {
  /** Whether the others see what the guest types while it is typed. */
  on = false;
  private draft = "";
  private lines: Lines = new Map();
  private readonly writer = new Writer(() => crypto.getRandomValues(new Uint32Array(3)).join("-"));
  private timer: number | undefined;

  constructor(private readonly carrier: Carrier) {}

  set(on: boolean): void {
    this.on = on;
    this.send(on ? this.writer.update(this.draft) : this.writer.end());
  }

  /** The guest's line reads so now; empty when it has been sent. */
  drafted(text: string): void {
    this.draft = text;
    if (!this.on) return;
    if (text !== "") {
      this.timer ??= window.setTimeout(() => {
        this.timer = undefined;
        if (this.on) this.send(this.writer.update(this.draft));
      }, COLLECT_MS);
      return;
    }
    this.close();
    this.send(this.writer.end());
  }

  /** Somebody has come, and does not know the line. */
  repeat(): void {
    if (this.on) this.send(this.writer.repeat());
  }

  received(writer: string, bytes: Uint8Array): void {
    this.take(read(this.lines, writer, bytes));
  }

  /** Only these are there. */
  keep(present: ReadonlySet<string>): void {
    this.take(keep(this.lines, present));
  }

  close(): void {
    window.clearTimeout(this.timer);
    this.timer = undefined;
  }

  private take(lines: Lines): void {
    if (lines === this.lines) return;
    this.lines = lines;
    this.carrier.changed(lines);
  }

  private send(packet: Uint8Array<ArrayBuffer> | undefined): void {
    if (packet) this.carrier.send(packet);
  }
}
