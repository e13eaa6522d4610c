// Real-time text (EN 301 549, clause 6.2): what somebody types, while they type it. The text is that of ITU-T
// T.140: characters that are added, and backspaces that take the last one away.

/** Where it travels among the relay's data. */
export const TOPIC = "org.vorzimmer.rtt";

/** How long typing is collected before it is sent; T.140 allows half a second. */
export const COLLECT_MS = 300;

const BACKSPACE = "\u0008";
const LINE = "\u2028";
/** Stands where something was lost. */
const MISSING = "\ufffd";

/** So many characters a message may have. */
const LIMIT = 4_000;
const PACKET_BYTES = 16 * 1024;
const WRITERS = 50;

/** One step of one text that is being written. */
interface Packet {
  /** Which text of this writer. */
  id: string;
  /** Counts the steps of the text from 0. */
  seq: number;
  /** Added characters and backspaces. */
  t140: string;
  /** The text begins anew with this step: at its start, or repeated for those who came later. */
  fresh?: true;
  /** The text is sent as a message, or given up. */
  end?: true;
}

/** The guest's own line as steps to send. */
export class Writer {
  private text = "";
  private id: string | undefined;
  private seq = 0;

  /** @param newId makes ids that no other text has */
  constructor(private readonly newId: () => string) {}

  /** The line reads `text` now. The step to send, if anything has changed. */
  update(text: string): Uint8Array<ArrayBuffer> | undefined {
    const t140 = difference(this.text, text);
    if (t140 === "") return undefined;
    const fresh = this.id === undefined;
    this.text = text;
    return this.step({ t140, ...(fresh && { fresh }) });
  }

  /** The whole line once more, for those who have just come. */
  repeat(): Uint8Array<ArrayBuffer> | undefined {
    if (this.text === "") return undefined;
    return this.step({ t140: difference("", this.text), fresh: true });
  }

  /** The line has been sent, or real-time text is off. */
  end(): Uint8Array<ArrayBuffer> | undefined {
    if (this.id === undefined) return undefined;
    const last = this.step({ t140: "", end: true });
    this.text = "";
    this.id = undefined;
    this.seq = 0;
    return last;
  }

  private step(content: Omit<Packet, "id" | "seq">): Uint8Array<ArrayBuffer> {
    this.id ??= this.newId();
    const packet: Packet = { id: this.id, seq: this.seq, ...content };
    this.seq += 1;
    return new TextEncoder().encode(JSON.stringify(packet)) as Uint8Array<ArrayBuffer>;
  }
}

/** What turns `before` into `after`: backspaces to where they part, then what is new. */
function difference(before: string, after: string): string {
  const [old, fresh] = [characters(before), characters(after)];
  let same = 0;
  while (same < old.length && same < fresh.length && old[same] === fresh[same]) same += 1;
  return BACKSPACE.repeat(old.length - same) + fresh.slice(same).join("");
}

function characters(text: string): string[] {
  return [...text.replace(/\r\n?|\n/g, LINE)];
}

/** A text that is being written. */
export interface Line {
  id: string;
  /** The last step that was taken. */
  seq: number;
  text: string;
}

/** Texts that are being written, by the writer's identity. */
export type Lines = ReadonlyMap<string, Line>;

/** What is written after `bytes` have come from `writer`. What is no step, or comes twice, changes nothing. */
export function read(lines: Lines, writer: string, bytes: Uint8Array): Lines {
  const packet = parse(bytes);
  if (!packet) return lines;
  const known = lines.get(writer);
  const before = known?.id === packet.id ? known : undefined;
  if (before && packet.seq <= before.seq) return lines;
  const after = new Map(lines);
  if (packet.end) {
    if (before) after.delete(writer);
    return before ? after : lines;
  }
  if (!known && lines.size >= WRITERS) return lines;
  const whole = packet.fresh ?? before?.seq === packet.seq - 1;
  const start = packet.fresh ? "" : (before?.text ?? "") + (whole ? "" : MISSING);
  const text = apply(start, packet.t140);
  after.set(writer, { id: packet.id, seq: packet.seq, text });
  return after;
}

/** Takes the texts away of all who are not in `present`. */
export function keep(lines: Lines, present: ReadonlySet<string>): Lines {
  const left = [...lines].filter(([writer]) => present.has(writer));
  return left.length === lines.size ? lines : new Map(left);
}

function apply(text: string, t140: string): string {
  const written = [...text];
  for (const character of t140) {
    if (character === BACKSPACE) written.pop();
    else if (character === LINE || character === "\n") written.push("\n");
    // Other control characters (bell, escape sequences) mean nothing here.
    else if (!/\p{Cc}/u.test(character)) written.push(character);
  }
  return written.slice(0, LIMIT).join("");
}

function parse(bytes: Uint8Array): Packet | undefined {
  if (bytes.byteLength > PACKET_BYTES) return undefined;
  let said: unknown;
  try {
    said = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof said !== "object" || said === null) return undefined;
  const { id, seq, t140, fresh, end } = said as Record<string, unknown>;
  if (typeof id !== "string" || id === "" || id.length > 64) return undefined;
  if (typeof seq !== "number" || !Number.isSafeInteger(seq) || seq < 0) return undefined;
  if (typeof t140 !== "string") return undefined;
  return { id, seq, t140, ...(fresh === true && { fresh }), ...(end === true && { end }) };
}
