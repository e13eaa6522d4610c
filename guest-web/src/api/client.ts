import type {
  Booking,
  Call,
  CheckedIn,
  Contact,
  Hold,
  Knock,
  Link,
  Message,
  NewBooking,
  ParticipantLink,
  ParticipantRole,
  Participation,
  Problem,
  Slots,
  Visit,
} from "./types";

/** The server refused. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    /** Words for the citizen; empty if the answer was cut off. */
    readonly problem: Partial<Problem>,
    /** Seconds until a new try makes sense, if the server said so. */
    readonly retryAfter: number | undefined,
  ) {
    super(problem.detail ?? problem.title ?? String(status));
  }
}

/** The server could not be reached, or what answered was not it. */
export class Unreachable extends Error {}

/** Of as many days the server tells the free times at once. */
export const SLOT_DAYS = 62;

/** The gateway's JSON interface, for one language. */
export class Api {
  constructor(
    private readonly language: string,
    private readonly base = "/api/v1",
  ) {}

  knock(office: string, knock: Knock): Promise<Visit> {
    return this.json("POST", `/offices/${encodeURIComponent(office)}/visits`, knock);
  }

  visits(): Promise<Visit[]> {
    return this.json("GET", "/visits");
  }

  visit(id: string): Promise<Visit> {
    return this.json("GET", `/visits/${id}`);
  }

  eventsUrl(id: string): string {
    // An event stream cannot have headers of its own.
    return `${this.base}/visits/${id}/events?lang=${this.language}`;
  }

  enter(id: string): Promise<Visit> {
    return this.json("POST", `/visits/${id}/enter`);
  }

  async leave(id: string): Promise<void> {
    await this.request("POST", `/visits/${id}/leave`);
  }

  messages(id: string, after: number): Promise<Message[]> {
    return this.json("GET", `/visits/${id}/messages?after=${after}`);
  }

  say(id: string, clientId: string, body: string): Promise<Message> {
    return this.json("POST", `/visits/${id}/messages`, {
      client_id: clientId,
      body,
    });
  }

  async sendFile(id: string, clientId: string, file: File): Promise<Message> {
    const form = new FormData();
    form.append("client_id", clientId);
    form.append("file", file, file.name);
    const response = await this.request("POST", `/visits/${id}/files`, form);
    return (await response.json()) as Message;
  }

  async typing(id: string, typing: boolean): Promise<void> {
    await this.request("POST", `/visits/${id}/typing`, { typing });
  }

  async rate(id: string, stars: number): Promise<void> {
    await this.request("POST", `/visits/${id}/rating`, { stars });
  }

  /** Joins the visit's call, or learns how it is now. */
  call(id: string): Promise<Call> {
    return this.json("POST", `/visits/${id}/call`);
  }

  async hangUp(id: string): Promise<void> {
    await this.request("DELETE", `/visits/${id}/call`);
  }

  /** A link for somebody who comes along. */
  bring(id: string, role: ParticipantRole): Promise<ParticipantLink> {
    return this.json("POST", `/visits/${id}/participants`, { role });
  }

  /** Takes the link's place in this browser. */
  takePart(token: string): Promise<Participation> {
    return this.json("POST", "/visits/participation", undefined, token);
  }

  participationEventsUrl(id: string): string {
    return `${this.base}/visits/participation/${id}/events?lang=${this.language}`;
  }

  callBeside(id: string): Promise<Call> {
    return this.json("POST", `/visits/participation/${id}/call`);
  }

  async hangUpBeside(id: string): Promise<void> {
    await this.request("DELETE", `/visits/participation/${id}/call`);
  }

  /** The free times of [`SLOT_DAYS`] days, from a day on or from today on. */
  slots(office: string, services: readonly string[], from?: string): Promise<Slots> {
    const wanted = new URLSearchParams({
      services: services.join(","),
      days: String(SLOT_DAYS),
      ...(from && { from }),
    });
    return this.json("GET", `/offices/${encodeURIComponent(office)}/slots?${wanted}`);
  }

  hold(office: string, services: readonly string[], start: string): Promise<Hold> {
    return this.json("POST", `/offices/${encodeURIComponent(office)}/holds`, { services, start });
  }

  async letGo(office: string, token: string): Promise<void> {
    await this.request("DELETE", `/offices/${encodeURIComponent(office)}/holds`, undefined, token);
  }

  book(contact: Contact, token: string): Promise<NewBooking> {
    return this.json("POST", "/bookings", contact, token);
  }

  booking(token: string): Promise<Booking> {
    return this.json("GET", "/booking", undefined, token);
  }

  confirmBooking(token: string): Promise<Booking> {
    return this.json("POST", "/booking/confirm", undefined, token);
  }

  moveBooking(token: string, start: string): Promise<Booking> {
    return this.json("POST", "/booking/move", { start }, token);
  }

  cancelBooking(token: string): Promise<Booking> {
    return this.json("POST", "/booking/cancel", undefined, token);
  }

  wantEarlier(token: string, wanted: boolean): Promise<Booking> {
    return this.json("POST", "/booking/earlier", { wanted }, token);
  }

  turnDownOffer(token: string): Promise<Booking> {
    return this.json("POST", "/booking/turn-down", undefined, token);
  }

  bookingLink(token: string, role: "interpreter" | "companion"): Promise<Link> {
    return this.json("POST", "/booking/links", { role }, token);
  }

  checkIn(token: string): Promise<CheckedIn> {
    return this.json("POST", "/booking/check-in", undefined, token);
  }

  async bookingCalendar(token: string): Promise<Blob> {
    const response = await this.request("GET", "/booking/calendar", undefined, token);
    return response.blob();
  }

  private async json<T>(method: string, path: string, body?: unknown, token?: string): Promise<T> {
    const response = await this.request(method, path, body, token);
    return (await response.json()) as T;
  }

  private async request(method: string, path: string, body?: unknown, token?: string): Promise<Response> {
    const headers: Record<string, string> = {
      Accept: "application/json",
      "Accept-Language": this.language,
    };
    if (token) headers.Authorization = `Bearer ${token}`;
    const init: RequestInit = { method, headers, cache: "no-store" };
    if (body instanceof FormData) {
      init.body = body;
    } else if (body !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(body);
    }
    let response: Response;
    try {
      response = await fetch(this.base + path, init);
    } catch (cause) {
      throw new Unreachable("no answer", { cause });
    }
    if (response.ok) return response;
    const type = response.headers.get("Content-Type") ?? "";
    // A proxy's error page while the server restarts is no answer of ours.
    if (!type.startsWith("application/problem+json")) throw new Unreachable(`status ${response.status}`);
    const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
    const retryAfter = Number(response.headers.get("Retry-After") ?? Number.NaN);
    throw new Refused(response.status, problem, Number.isFinite(retryAfter) ? retryAfter : undefined);
  }
}
