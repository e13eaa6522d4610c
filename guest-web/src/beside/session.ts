import { type Api, Refused } from "../api/client";
import type { Call, Participation } from "../api/types";
import type { CallSession } from "../call/call";
import { backoff } from "../lib/backoff";
import { onWake, openStream, type Stream } from "../lib/events";

/** What the page shows. */
export interface BesideState {
  place: Participation | undefined;
  /** Why the link opens nothing, in the house's words. */
  refused: Refused | undefined;
  /** Whether the appointment's citizen is still to come. */
  early: boolean;
  /** Whether and how it has ended for this page. */
  ended: "over" | "turned out" | undefined;
}

const NOT_YET = "/problems/not-yet";

/** One place beside a citizen: takes it, and follows the visit until it ends. */
export class BesideSession implements CallSession {
  state: BesideState = { place: undefined, refused: undefined, early: false, ended: undefined };
  /** Whoever comes beside a citizen sees and speaks; the messages are between citizen and office. */
  readonly canWrite = false;
  onCall: (() => void) | undefined;
  onDraft: ((text: string) => void) | undefined;
  private stream: Stream | undefined;

  constructor(
    private readonly api: Api,
    private readonly token: string,
    private readonly changed: () => void,
  ) {}

  /** Takes the place, as soon as there is one. Tries for as long as the server is away. */
  async start(): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const place = await this.api.takePart(this.token);
        this.update({ place, refused: undefined, early: false });
        this.follow(place.id);
        return;
      } catch (error) {
        let pause = backoff(attempt, Math.random);
        if (error instanceof Refused) {
          const early = error.problem.type === NOT_YET;
          this.update({ refused: error, early });
          if (!early && error.retryAfter === undefined) return;
          pause = Math.max(pause, (error.retryAfter ?? 0) * 1000);
        }
        await new Promise((resume) => window.setTimeout(resume, pause));
      }
    }
  }

  joinCall(): Promise<Call> {
    return this.api.callBeside(this.state.place?.id ?? "");
  }

  hangUp(): Promise<void> {
    return this.api.hangUpBeside(this.state.place?.id ?? "");
  }

  private follow(id: string): void {
    this.stream = openStream(this.api.participationEventsUrl(id), {
      events: {
        participation: (data) => this.update({ place: JSON.parse(data) as Participation }),
        call: () => this.onCall?.(),
        over: () => this.end("over"),
        turned_out: () => this.end("turned out"),
      },
      connected: (connected) => connected && this.onCall?.(),
    });
    onWake(() => !this.state.ended && this.stream?.wake());
  }

  private end(ended: BesideState["ended"]): void {
    this.stream?.close();
    this.update({ ended });
  }

  private update(change: Partial<BesideState>): void {
    this.state = { ...this.state, ...change };
    this.changed();
  }
}
