// A Matrix client's part around Element Call: it shows the widget and answers its API. Everything it needs stands
// in the fragment: homeserver, token, user, device, room.
import { ClientWidgetApi, Widget } from "matrix-widget-api";
import { HomeserverDriver } from "./driver.mjs";
import { follow } from "./matrix.mjs";

const { room, ...session } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const id = "element-call";
const parameters = new URLSearchParams({
    widgetId: id,
    parentUrl: location.origin,
    roomId: room,
    userId: session.user,
    deviceId: session.device,
    baseUrl: session.homeserver,
    lang: "de",
    theme: "light",
    intent: "join_existing",
    skipLobby: "true",
    perParticipantE2EE: "false",
    header: "none",
});
const url = `${location.origin}/call/index.html#?${parameters}`;

const frame = document.createElement("iframe");
frame.allow = "camera; microphone; display-capture; autoplay; fullscreen";
frame.title = "Element Call";
// Before the API: it speaks to the frame's window, and a frame outside of the page has none.
document.body.append(frame);
const driver = new HomeserverDriver(session, room);
const widget = new Widget({ id, creatorUserId: session.user, type: "m.custom", url, waitForIframeLoad: false });
const api = new ClientWidgetApi(widget, frame, driver);
api.setViewedRoomId(room);

// What a test asks: window.host.joined
window.host = { joined: false };
const acknowledge = (action, note) =>
    api.on(`action:${action}`, (event) => {
        event.preventDefault();
        note?.();
        api.transport.reply(event.detail, {});
    });
acknowledge("io.element.join", () => (window.host.joined = true));
acknowledge("im.vector.hangup");
acknowledge("io.element.device_mute");
acknowledge("io.element.close");
acknowledge("set_always_on_screen");

// Element Call answers when it has time; what comes next does not wait for that.
const tell = (told) => told.catch(console.error);
frame.src = url;
api.once("ready", () =>
    follow(session, room, {
        timeline: (event) => tell(api.feedEvent(event)),
        state: (event, isNew) => {
            tell(api.feedStateUpdate(event));
            if (isNew) tell(api.feedEvent(event));
        },
        toDevice: (event) => tell(api.feedToDevice(event, false)),
    }),
);
