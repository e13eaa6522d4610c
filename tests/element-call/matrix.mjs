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

// Calls back for each event of the room, in order, for as long as the page lives.
export async function follow(session, room, { timeline, state, sticky, toDevice }) {
    let since;
    for (;;) {
        const query = since ? { since, timeout: 30_000 } : { timeout: 0 };
        const answer = await request(session, "GET", "/_matrix/client/v3/sync", undefined, query);
        // What stood before is read, not heard.
        if (since) {
            const joined = answer.rooms?.join?.[room] ?? {};
            for (const event of joined.state?.events ?? []) await state(inRoom(event));
            for (const event of joined.timeline?.events ?? []) {
                if (event.state_key === undefined) await timeline(inRoom(event));
                else await state(inRoom(event), true);
            }
            for (const event of joined.msc4354_sticky?.events ?? []) await sticky(inRoom(event));
            for (const event of answer.to_device?.events ?? []) await toDevice(event);
        }
        since = answer.next_batch;
    }

    function inRoom(event) {
        return { ...event, room_id: room };
    }
}
