// Requests to a homeserver, and what its sync says of one room.

export class MatrixError extends Error {
    constructor(status, body) {
        super(`${status} ${body.errcode ?? ""} ${body.error ?? ""}`);
        this.status = status;
        this.body = body;
    }
}

export async function request({ homeserver, token }, method, path, body, query = {}) {
    const response = await fetch(`${homeserver}${path}?${new URLSearchParams(query)}`, {
        method,
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
        body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new MatrixError(response.status, answer);
    return answer;
}

// What one answer of sync says of the room.
async function sync(session, room, query) {
    const answer = await request(session, "GET", "/_matrix/client/v3/sync", undefined, query);
    const joined = answer.rooms?.join?.[room] ?? {};
    const of = (part) => (part?.events ?? []).map((event) => ({ ...event, room_id: room }));
    return {
        next: answer.next_batch,
        state: of(joined.state),
        timeline: of(joined.timeline),
        sticky: of(joined.msc4354_sticky),
        toDevice: answer.to_device?.events ?? [],
    };
}

// The events that stick in the room at this moment (MSC4354). The newest stand in the timeline alone.
export async function stickyEvents(session, room) {
    const { timeline, sticky } = await sync(session, room, { timeout: 0 });
    return [...sticky, ...timeline.filter((event) => event.msc4354_sticky)];
}

// Calls back for each event of the room, in order, for as long as the page lives. A homeserver that does not answer is
// asked again.
export async function follow(session, room, { timeline, state, toDevice }) {
    // What stood before is read, not heard.
    let { next: since } = await sync(session, room, { timeout: 0 });
    for (;;) {
        const heard = await sync(session, room, { since, timeout: 30_000 }).catch(console.error);
        if (!heard) {
            await new Promise((again) => setTimeout(again, 1_000));
            continue;
        }
        for (const event of heard.state) state(event);
        for (const event of heard.timeline) {
            if (event.state_key === undefined) timeline(event);
            else state(event, true);
        }
        for (const event of heard.sticky) timeline(event);
        for (const event of heard.toDevice) toDevice(event);
        since = heard.next;
    }
}
