//! Data packets: chat, reactions, real-time text, whatever clients say to each other beside media.

use livekit_protocol as proto;
use prost::Message as _;
use proto::data_packet::{Kind, Value};

use super::{Now, ParticipantKey, Room, Side};

/// The data channels of LiveKit's clients.
pub(super) const RELIABLE: &str = "_reliable";
pub(super) const LOSSY: &str = "_lossy";

impl Room {
    /// A message came over a participant's data channel.
    pub(super) fn data(&mut self, from: ParticipantKey, label: &str, bytes: &[u8], now: Now) {
        let kind = match label {
            RELIABLE => Kind::Reliable,
            LOSSY => Kind::Lossy,
            _ => return,
        };
        let Some(participant) = self.participants.get_mut(&from) else {
            return;
        };
        let bits = bytes.len() as u64 * 8;
        if !participant.permission.can_publish_data
            || bytes.len() > self.limits.data_bytes
            || !participant.packets.take(1, now.instant)
            || !participant.bits.take(bits, now.instant)
        {
            metrics::counter!("relay_data_refused_total").increment(1);
            return;
        }
        let Ok(mut packet) = proto::DataPacket::decode(bytes) else {
            metrics::counter!("relay_data_refused_total").increment(1);
            return;
        };
        // Who speaks is what the token said, whatever the packet says.
        packet.participant_sid.clone_from(&participant.sid);
        packet
            .participant_identity
            .clone_from(&participant.identity);
        if let Some(Value::User(user)) = &mut packet.value {
            #[expect(deprecated, reason = "older clients read the sender here")]
            {
                user.participant_sid.clone_from(&participant.sid);
                user.participant_identity.clone_from(&participant.identity);
            }
        }
        self.deliver(Some(from), packet, kind, now);
    }

    /// Sends a data packet to those it is for.
    pub(super) fn deliver(
        &mut self,
        from: Option<ParticipantKey>,
        mut packet: proto::DataPacket,
        kind: Kind,
        now: Now,
    ) {
        let mut identities = std::mem::take(&mut packet.destination_identities);
        let mut sids = Vec::new();
        if let Some(Value::User(user)) = &mut packet.value {
            #[expect(deprecated, reason = "older clients name the receivers here")]
            {
                identities.append(&mut user.destination_identities);
                sids.append(&mut user.destination_sids);
            }
        }
        #[expect(deprecated, reason = "older clients read the kind here")]
        {
            packet.kind = kind.into();
        }
        let bytes = packet.encode_to_vec();
        let label = match kind {
            Kind::Reliable => RELIABLE,
            Kind::Lossy => LOSSY,
        };
        for other in self.keys() {
            let Some(participant) = self.participants.get_mut(&other) else {
                continue;
            };
            let addressed = (identities.is_empty() && sids.is_empty())
                || identities.contains(&participant.identity)
                || sids.contains(&participant.sid);
            if Some(other) == from || !addressed {
                continue;
            }
            let side = participant.sending_side();
            let link = participant.sending_link();
            if let Err(error) = link.connection.send_data(label, &bytes, now.instant) {
                metrics::counter!("relay_data_dropped_total").increment(1);
                tracing::debug!(%error, "a data packet was not delivered");
            }
            self.pump((other, side), now);
        }
    }

    /// Whether data channels of a side carry data to us: in either direction of a single connection, else of the
    /// publisher's only.
    pub(super) fn hears_data(&self, (key, side): (ParticipantKey, Side)) -> bool {
        side == Side::Publisher && self.participants.contains_key(&key)
    }
}
