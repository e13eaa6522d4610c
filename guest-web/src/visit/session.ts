import { type Api, Refused } from "../api/client";
import type { Call, Message, ParticipantRole, Typing, Visit } from "../api/types";
import { backoff } from "../lib/backoff";
import { onWake, openStream, type Stream } from "../lib/events";
import { cursor, draft, type Entry, mark, merge } from "./messages";

/** What the page shows. */
export interface SessionState {
  visit: Visit | undefined;
  /** There is no such visit in this browser. */
  missing: boolean;
  /** The visit goes on in another browser, which has opened the appointment's link. */
  elsewhere: boolean;
  log: Entry[];
  /** Whether a clerk is typing. */
  typing: boolean;
  /** Whether the event stream stands. */
  connected: boolean;
}

/** Tell the server at most so often that the guest types; it forgets by itself a little later. */
const TYPING_EVERY_MS = 4_000;

/** One visit: loads it, follows it, and does what the guest wants. The server has the truth; this is a copy. */
export class Session {
  state: SessionState = {
    visit: undefined,
    missing: false,
    elsewhere: false,
    log: [],
    typing: false,
    connected: true,
  };
  /** Told that the call's relays or people have changed, by whoever shows the call. */
  onCall: (() => void) | undefined;
  /** Told how the line being written reads, by whoever sends real-time text. */
  onDraft: ((text: string) => void) | undefined;
  /** Whether the page has a line to write messages in. */
  readonly canWrite: boolean = true;
  private stream: Stream | undefined;
  private typedAt = 0;
  /** How often something has been heard of the visit. */
  private heard = 0;
  /**
   * The messages up to this id have been asked for and are all here. News that comes by itself does not count:
   * after a gap it may be newer than what was missed.
   */
  private complete = 0;
  /** Texts go out one after the other, so that they arrive in the order they were written. */
  private texts: Promise<void> = Promise.resolve();
  /** What could not be sent because nobody answered; sent again when the connection is back. */
  private readonly unheard = new Map<string, Entry>();

  constructor(
    private readonly api: Api,
    private readonly id: string,
    private readonly changed: (before: SessionState) => void,
  ) {}

  /** Loads the visit and follows it until it ends. Tries for as long as the server is away. */
  async start(): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        this.update({ visit: await this.api.visit(this.id), connected: true });
        break;
      } catch (error) {
        if (error instanceof Refused) {
          this.update({ missing: true });
          return;
        }
        this.update({ connected: false });
        await new Promise((resume) => window.setTimeout(resume, backoff(attempt, Math.random)));
      }
    }
    await this.loadMessages();
    this.follow();
  }

  private follow(): void {
    if (this.state.visit?.state === "ended") return;
    this.stream = openStream(this.api.eventsUrl(this.id), {
      events: {
        visit: (data) => this.take(JSON.parse(data) as Visit),
        message: (data) => this.receive([JSON.parse(data) as Message]),
        typing: (data) =>
          this.update({
            typing: (JSON.parse(data) as Typing).typing,
          }),
        call: () => this.onCall?.(),
        resync: () => {
          this.onCall?.();
          void this.reload();
        },
      },
      connected: (connected) => {
        this.update({ connected, typing: false });
        // Something may have happened while nobody listened; and a stream that is refused may mean that the
        // visit has been erased.
        void this.reload();
        if (connected) this.onCall?.();
        if (connected) for (const entry of this.unheard.values()) this.retry(entry);
      },
    });
    onWake(() => {
      if (this.state.visit?.state === "ended") return;
      this.stream?.wake();
      void this.reload();
    });
  }

  /** Reads visit and messages again. Without a connection the stream's return does it. */
  async reload(): Promise<void> {
    const heard = this.heard;
    try {
      const visit = await this.api.visit(this.id);
      // What has been heard since the question is newer than the answer to it.
      if (heard === this.heard) this.take(visit);
      await this.loadMessages();
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 404) return;
      this.stream?.close();
      // A visit is erased only after its end: one that was live has been taken over.
      const { visit } = this.state;
      this.update({ missing: true, elsewhere: visit !== undefined && visit.state !== "ended" });
    }
  }

  async enter(): Promise<void> {
    this.take(await this.api.enter(this.id));
    await this.loadMessages();
  }

  async leave(): Promise<void> {
    await this.api.leave(this.id);
    this.take(await this.api.visit(this.id));
  }

  async rate(stars: number): Promise<void> {
    await this.api.rate(this.id, stars);
    const { visit } = this.state;
    if (visit) this.update({ visit: { ...visit, rated: true } });
  }

  /** Sends a message; it stands in the log at once. */
  say(body: string): void {
    const entry = draft(newId(), new Date().toISOString(), { body });
    this.update({ log: [...this.state.log, entry] });
    this.typedAt = 0;
    void this.send(entry);
  }

  /** Sends a file; it stands in the log at once. */
  sendFile(upload: File): void {
    const entry = draft(newId(), new Date().toISOString(), { upload });
    this.update({ log: [...this.state.log, entry] });
    void this.send(entry);
  }

  /** Joins the call, or learns which relays and people belong to it now. */
  joinCall(): Promise<Call> {
    return this.api.call(this.id);
  }

  /** The secret of a link for somebody who comes along. */
  async bring(role: ParticipantRole): Promise<string> {
    return (await this.api.bring(this.id, role)).token;
  }

  /** Leaves the call; the conversation goes on in writing. */
  hangUp(): Promise<void> {
    return this.api.hangUp(this.id);
  }

  /** Sends again what could not be sent. The id stays, so the server never has it twice. */
  retry(entry: Entry): void {
    if (entry.clientId === null) return;
    this.update({ log: mark(this.state.log, entry.clientId, "sending") });
    void this.send(entry);
  }

  /** The guest has typed, or the line is empty. */
  type(typing: boolean): void {
    const now = Date.now();
    if (typing && now - this.typedAt < TYPING_EVERY_MS) return;
    if (!typing && this.typedAt === 0) return;
    this.typedAt = typing ? now : 0;
    // Only a courtesy: if it does not arrive, nothing is lost.
    void this.api.typing(this.id, typing).catch(() => undefined);
  }

  private send(entry: Entry): Promise<void> {
    // A long upload holds no text up.
    if (entry.upload) return this.deliver(entry);
    this.texts = this.texts.then(() => this.deliver(entry));
    return this.texts;
  }

  private async deliver(entry: Entry): Promise<void> {
    const clientId = entry.clientId ?? newId();
    this.unheard.delete(clientId);
    try {
      const message = entry.upload
        ? await this.api.sendFile(this.id, clientId, entry.upload)
        : await this.api.say(this.id, clientId, entry.body);
      this.receive([message]);
    } catch (error) {
      if (!(error instanceof Refused)) this.unheard.set(clientId, entry);
      this.update({ log: mark(this.state.log, clientId, "failed") });
    }
  }

  private async loadMessages(): Promise<void> {
    const messages = await this.api
      .messages(this.id, Math.min(this.complete, cursor(this.state.log)))
      // There is no conversation yet, or the stream will bring us back here.
      .catch(() => []);
    if (messages.length > 0) this.receive(messages);
    this.complete = Math.max(this.complete, ...messages.map((message) => message.id));
  }

  private receive(messages: Message[]): void {
    const spoke = messages.some((message) => message.author === "participant");
    this.update({
      log: merge(this.state.log, messages),
      ...(spoke && { typing: false }),
    });
  }

  private take(visit: Visit): void {
    this.heard += 1;
    if (visit.state === "ended") this.stream?.close();
    this.update({ visit, missing: false, elsewhere: false });
  }

  private update(change: Partial<SessionState>): void {
    const before = this.state;
    this.state = { ...before, ...change };
    this.changed(before);
  }
}

/** 128 random bits. (`crypto.randomUUID` is missing on pages without TLS.) */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
