// A clerk's client on matrix-js-sdk. Says what happens on standard output and takes orders on standard input, one
// JSON object a line each:
//
//   → {"do": "approve", "room": "!door", "user": "@_vorzimmer_…"}    invites the knocker, as Element's Approve does
//   → {"do": "say", "room": "!room", "body": "Guten Tag"}            sends a text
//   ← {"saw": "sync"}                                                 the first sync is done
//   ← {"saw": "message", "room", "sender", "msgtype", "body", "highlights"}
//   ← {"saw": "knock", "room", "user", "reason"}
//   ← {"saw": "room", "room", "name"}                                 a room with a name, which the clerk is in
//   ← {"saw": "failure", "what"}                                      an order could not be carried out
import { createInterface } from "node:readline";
import { ClientEvent, createClient, NotificationCountType, RoomEvent, RoomMemberEvent } from "matrix-js-sdk";
import { logger } from "matrix-js-sdk/lib/logger.js";

// What the library has to say would stand between the lines.
logger.setLevel("silent", false);

const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const { BASE_URL: baseUrl, ACCESS_TOKEN: accessToken, USER_ID: userId, DEVICE_ID: deviceId } = process.env;
const client = createClient({ baseUrl, accessToken, userId, deviceId });

const orders = {
    approve: ({ room, user }) => client.invite(room, user),
    say: ({ room, body }) => client.sendTextMessage(room, body),
};

client.once(ClientEvent.Sync, () => tell({ saw: "sync" }));

client.on(RoomEvent.Timeline, (event, room, toStart) => {
    if (toStart || event.getType() !== "m.room.message") return;
    const { msgtype, body } = event.getContent();
    // The count arrives with the same sync, after the events.
    setImmediate(() =>
        tell({
            saw: "message",
            room: room.roomId,
            sender: event.getSender(),
            msgtype,
            body,
            highlights: room.getUnreadNotificationCount(NotificationCountType.Highlight),
        }),
    );
});

client.on(RoomMemberEvent.Membership, (event, member) => {
    if (member.membership !== "knock") return;
    tell({ saw: "knock", room: member.roomId, user: member.userId, reason: event.getContent().reason });
});

// The name comes with the invite or after the join: whichever is last, tells.
const inside = (room) => {
    if (room.getMyMembership() === "join") tell({ saw: "room", room: room.roomId, name: room.name });
};
client.on(RoomEvent.Name, inside);
client.on(RoomEvent.MyMembership, inside);

createInterface({ input: process.stdin })
    .on("line", async (line) => {
        const order = JSON.parse(line);
        try {
            await orders[order.do](order);
        } catch (error) {
            tell({ saw: "failure", what: `${order.do}: ${error}` });
        }
    })
    // Whoever gives the orders is gone.
    .on("close", () => process.exit(0));

await client.startClient({ initialSyncLimit: 0 });
