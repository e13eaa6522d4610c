// What a Matrix client does for Element Call, over a homeserver's client API.
import { MatrixError, request, stickyEvents } from "./matrix.mjs";
import { OpenIDRequestState, WidgetDriver } from "matrix-widget-api";

const DELAYED = "/_matrix/client/unstable/org.matrix.msc4140/delayed_events";
const segment = encodeURIComponent;

export class HomeserverDriver extends WidgetDriver {
    // session: { homeserver, token, user, device }, room: the one room the widget may know.
    constructor(session, room) {
        super();
        this.session = session;
        this.room = room;
    }

    async validateCapabilities(requested) {
        return requested;
    }

    getKnownRooms() {
        return [this.room];
    }

    processError(error) {
        if (!(error instanceof MatrixError)) return undefined;
        return { matrix_api_error: { http_status: error.status, http_headers: {}, url: "", response: error.body } };
    }

    call(method, path, body, query) {
        return request(this.session, method, path, body, query);
    }

    // Sends a message event, or a state event when there is a state key; `query` carries delays and stickiness.
    async put(type, content, stateKey, query = {}) {
        const room = `/_matrix/client/v3/rooms/${segment(this.room)}`;
        const path =
            typeof stateKey === "string"
                ? `${room}/state/${segment(type)}/${segment(stateKey)}`
                : `${room}/send/${segment(type)}/${segment(crypto.randomUUID())}`;
        return this.call("PUT", path, content, query);
    }

    async sendEvent(type, content, stateKey = null) {
        const { event_id: eventId } = await this.put(type, content, stateKey);
        return { roomId: this.room, eventId };
    }

    async sendStickyEvent(duration, type, content) {
        const sticky = { "org.matrix.msc4354.sticky_duration_ms": duration };
        const { event_id: eventId } = await this.put(type, content, null, sticky);
        return { roomId: this.room, eventId };
    }

    async sendDelayedEvent(delay, type, content, stateKey = null) {
        const { delay_id: delayId } = await this.put(type, content, stateKey, { "org.matrix.msc4140.delay": delay });
        return { roomId: this.room, delayId };
    }

    async sendDelayedStickyEvent(delay, duration, type, content) {
        const query = {
            "org.matrix.msc4140.delay": delay,
            "org.matrix.msc4354.sticky_duration_ms": duration,
        };
        const { delay_id: delayId } = await this.put(type, content, null, query);
        return { roomId: this.room, delayId };
    }

    async updateDelayed(delayId, action) {
        await this.call("POST", `${DELAYED}/${segment(delayId)}`, { action });
    }

    cancelScheduledDelayedEvent(delayId) {
        return this.updateDelayed(delayId, "cancel");
    }

    restartScheduledDelayedEvent(delayId) {
        return this.updateDelayed(delayId, "restart");
    }

    sendScheduledDelayedEvent(delayId) {
        return this.updateDelayed(delayId, "send");
    }

    async sendToDevice(type, _encrypted, messages) {
        const path = `/_matrix/client/v3/sendToDevice/${segment(type)}/${segment(crypto.randomUUID())}`;
        await this.call("PUT", path, { messages });
    }

    async readRoomState(room, type, stateKey) {
        const state = await this.call("GET", `/_matrix/client/v3/rooms/${segment(room)}/state`);
        return state.filter((event) => event.type === type && (stateKey === undefined || event.state_key === stateKey));
    }

    async readRoomTimeline(room, type, msgtype, stateKey, limit) {
        const path = `/_matrix/client/v3/rooms/${segment(room)}/messages`;
        const { chunk } = await this.call("GET", path, undefined, { dir: "b", limit: 100 });
        const fits = (event) =>
            event.type === type &&
            (stateKey === undefined || event.state_key === stateKey) &&
            (msgtype === undefined || event.content.msgtype === msgtype);
        return chunk.filter(fits).slice(0, limit || undefined);
    }

    async readStickyEvents() {
        return stickyEvents(this.session, this.room);
    }

    async getRtcTransports() {
        return this.call("GET", "/_matrix/client/unstable/org.matrix.msc4143/rtc/transports");
    }

    async getMediaConfig() {
        return this.call("GET", "/_matrix/client/v1/media/config");
    }

    async downloadFile(uri) {
        const path = `/_matrix/client/v1/media/download/${uri.replace("mxc://", "")}`;
        const response = await fetch(this.session.homeserver + path, {
            headers: { Authorization: `Bearer ${this.session.token}` },
        });
        return { file: await response.blob() };
    }

    askOpenID(observer) {
        const path = `/_matrix/client/v3/user/${segment(this.session.user)}/openid/request_token`;
        this.call("POST", path, {}).then(
            (token) => observer.update({ state: OpenIDRequestState.Allowed, token }),
            () => observer.update({ state: OpenIDRequestState.Blocked }),
        );
    }
}
