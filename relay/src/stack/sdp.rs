//! What the relay reads out of a peer's session description by itself: which media section carries which track,
//! and which numbers its packets will bear.
//!
//! Deliberately forgiving: an attribute that cannot be read is passed over, because the stack judges the
//! description as a whole.

use std::collections::HashMap;

use super::{Codec, StackError};

/// More media sections than any call has; what lies beyond is not read.
const MAX_SECTIONS: usize = 512;

/// Extension of RFC 9143: the media section's id in the packet.
pub const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
/// Extension of RFC 8852: the layer's id in the packet.
pub const RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
/// Extension of RFC 8852: the layer that a retransmission repairs.
pub const REPAIRED_RID: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
/// Extension of RFC 6464: loudness.
pub const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
/// Transport-wide sequence numbers.
pub const TRANSPORT_CC: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// AV1's dependency descriptor.
pub const DEPENDENCY: &str =
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

/// A media section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// `audio`, `video` or `application`.
    pub kind: String,
    /// `a=mid`.
    pub mid: String,
    /// Whether the peer sends in it.
    pub sends: bool,
    /// Whether the peer wants to receive in it.
    pub receives: bool,
    /// The track id of `a=msid`.
    pub track_id: Option<String>,
    /// Payload type to codec.
    pub codecs: HashMap<u8, Codec>,
    /// Payload type of a retransmission to that of what it repairs.
    pub apt: HashMap<u8, u8>,
    /// Declared SSRCs of media (not of retransmissions).
    pub ssrcs: Vec<u32>,
    /// SSRC of a retransmission to the one it repairs.
    pub repairs: HashMap<u32, u32>,
    /// `a=rid` of the layers sent, in the order of the description.
    pub rids: Vec<String>,
}

/// A session description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// Its media sections in order.
    pub sections: Vec<Section>,
    /// Header extension to its id. Bundled sections share the ids (RFC 8843 §9).
    pub extensions: HashMap<String, u8>,
}

impl Description {
    /// Reads a description.
    #[must_use]
    pub fn parse(sdp: &str) -> Self {
        let mut description = Self::default();
        let mut session_direction = (true, true);
        // Port 0 refuses a section, unless it goes with another one's port (RFC 8843 §6).
        let mut refused = Vec::new();
        for line in sdp.lines().map(str::trim_end) {
            if let Some(media) = line.strip_prefix("m=") {
                if description.sections.len() == MAX_SECTIONS {
                    break;
                }
                let mut words = media.split(' ');
                let kind = words.next().unwrap_or_default().to_owned();
                refused.push(words.next() == Some("0"));
                description.sections.push(Section {
                    kind,
                    sends: session_direction.0,
                    receives: session_direction.1,
                    ..Section::default()
                });
            } else if let Some(attribute) = line.strip_prefix("a=") {
                let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
                let direction = match name {
                    "sendrecv" => Some((true, true)),
                    "sendonly" => Some((true, false)),
                    "recvonly" => Some((false, true)),
                    "inactive" => Some((false, false)),
                    _ => None,
                };
                match (description.sections.last_mut(), direction) {
                    (Some(section), Some((sends, receives))) => {
                        section.sends = sends;
                        section.receives = receives;
                    }
                    (None, Some(direction)) => session_direction = direction,
                    (Some(section), None) => section.attribute(name, value),
                    (None, None) => {}
                }
                if name == "bundle-only"
                    && let Some(refused) = refused.last_mut()
                {
                    *refused = false;
                }
                if name == "extmap"
                    && let Some((id, uri)) = value.split_once(' ')
                    && let Ok(id) = id.split('/').next().unwrap_or_default().parse()
                {
                    let uri = uri.split(' ').next().unwrap_or_default();
                    description.extensions.entry(uri.to_owned()).or_insert(id);
                }
            }
        }
        for (section, refused) in description.sections.iter_mut().zip(refused) {
            if refused {
                (section.sends, section.receives) = (false, false);
            }
            let repairs = &section.repairs;
            section.ssrcs.retain(|ssrc| !repairs.contains_key(ssrc));
        }
        description
    }

    /// The section of that id.
    #[must_use]
    pub fn section(&self, mid: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.mid == mid)
    }
}

impl Section {
    fn attribute(&mut self, name: &str, value: &str) {
        match name {
            "mid" => value.clone_into(&mut self.mid),
            "msid" => self.track_id = value.split(' ').nth(1).map(str::to_owned),
            "rtpmap" => {
                if let Some((payload_type, name)) = value.split_once(' ')
                    && let Ok(payload_type) = payload_type.parse()
                    && let Some(codec) =
                        Codec::from_name(name.split('/').next().unwrap_or_default())
                {
                    self.codecs.insert(payload_type, codec);
                }
            }
            "fmtp" => {
                if let Some((payload_type, parameters)) = value.split_once(' ')
                    && let Ok(payload_type) = payload_type.parse()
                    && let Some(apt) = parameters
                        .split(';')
                        .find_map(|parameter| parameter.trim().strip_prefix("apt="))
                    && let Ok(apt) = apt.parse()
                {
                    self.apt.insert(payload_type, apt);
                }
            }
            "ssrc" => {
                if let Ok(ssrc) = value.split(' ').next().unwrap_or_default().parse()
                    && !self.ssrcs.contains(&ssrc)
                    && self.ssrcs.len() < 16
                {
                    self.ssrcs.push(ssrc);
                }
            }
            "ssrc-group" => {
                if let Some(group) = value.strip_prefix("FID ") {
                    let mut ssrcs = group.split(' ').filter_map(|ssrc| ssrc.parse().ok());
                    if let (Some(primary), Some(repair)) = (ssrcs.next(), ssrcs.next())
                        && self.repairs.len() < 16
                    {
                        self.repairs.insert(repair, primary);
                    }
                }
            }
            "rid" => {
                let mut words = value.split(' ');
                if let (Some(rid), Some("send")) = (words.next(), words.next())
                    && self.rids.len() < 8
                {
                    self.rids.push(rid.to_owned());
                }
            }
            _ => {}
        }
    }
}

/// The first value of an attribute anywhere in a description.
#[must_use]
pub fn first_attribute<'a>(sdp: &'a str, name: &str) -> Option<&'a str> {
    sdp.lines().find_map(|line| {
        let rest = line.trim_end().strip_prefix("a=")?.strip_prefix(name)?;
        rest.strip_prefix(':')
    })
}

/// What is said of a voice in the parameters of Opus (RFC 7587 §6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// How the peer is to send it.
    Wanted {
        /// Next to nothing in silence.
        dtx: bool,
        /// In two channels.
        stereo: bool,
    },
    /// It is sent to the peer in two channels.
    Stereo,
}

impl Voice {
    fn parameters(self) -> &'static str {
        match self {
            Self::Wanted { dtx, stereo } => match (dtx, stereo) {
                (true, true) => ";usedtx=1;stereo=1;maxaveragebitrate=510000",
                (true, false) => ";usedtx=1",
                // As much as Opus can use of it.
                (false, true) => ";stereo=1;maxaveragebitrate=510000",
                (false, false) => "",
            },
            Self::Stereo => ";sprop-stereo=1",
        }
    }
}

/// A description of ours with what is to be said of the voices in its media sections. Publishers send as an answer says,
/// and of themselves without DTX and in one channel.
#[must_use]
pub fn with_voices(ours: &str, voice: impl Fn(&str) -> Option<Voice>) -> String {
    let description = Description::parse(ours);
    let mut sections = description.sections.iter();
    let mut section = None;
    let mut out = String::with_capacity(ours.len() + 64);
    for line in ours.lines() {
        let line = line.trim_end();
        if line.starts_with("m=") {
            section = sections.next().filter(|section| section.kind == "audio");
        }
        out.push_str(line);
        if let Some(section) = section
            && let Some(parameters) = line.strip_prefix("a=fmtp:")
            && let Some((payload_type, _)) = parameters.split_once(' ')
            && let Ok(payload_type) = payload_type.parse()
            && section.codecs.get(&payload_type) == Some(&Codec::Opus)
            && let Some(voice) = voice(&section.mid)
        {
            out.push_str(voice.parameters());
        }
        out.push_str("\r\n");
    }
    out
}

/// What the stack is given of a peer's description: all but its candidates, if that is no more than a call may have. The
/// stack makes a transceiver of each section, for good.
pub fn admissible(sdp: &str) -> Result<String, StackError> {
    let sections = sdp.lines().filter(|line| line.starts_with("m=")).count();
    if sections > MAX_SECTIONS {
        let reason = format!("{sections} media sections, more than {MAX_SECTIONS}");
        return Err(StackError::Description(reason));
    }
    Ok(without_candidates(sdp))
}

/// A description without its ICE candidates. The relay is ICE-lite: it answers checks and sends none, so a
/// candidate of the peer's would only make it speak to addresses that somebody names.
#[must_use]
pub fn without_candidates(sdp: &str) -> String {
    let mut out = String::with_capacity(sdp.len());
    for line in sdp.lines() {
        let line = line.trim_end();
        if !line.starts_with("a=candidate:")
            && !line.starts_with("a=remote-candidates:")
            && line != "a=end-of-candidates"
        {
            out.push_str(line);
            out.push_str("\r\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\na=extmap-allow-mixed\r\na=ice-ufrag:abcd\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=sendonly\r\na=msid:s mic\r\n\
        a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=rtpmap:111 opus/48000/2\r\n\
        a=ssrc:7 cname:x\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:1\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\n\
        a=fmtp:97 apt=96\r\na=rid:q send\r\na=rid:h send\r\na=ssrc-group:FID 1 2\r\na=ssrc:1 cname:x\r\n\
        a=ssrc:2 cname:x\r\na=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n";

    #[test]
    fn a_description_tells_which_packets_belong_where() {
        let offer = Description::parse(OFFER);
        assert_eq!(offer.extensions.get(AUDIO_LEVEL), Some(&1));
        let audio = offer.section("0").unwrap();
        assert_eq!(audio.track_id.as_deref(), Some("mic"));
        assert!(audio.sends && !audio.receives);
        assert_eq!(audio.ssrcs, [7]);
        let video = offer.section("1").unwrap();
        assert!(!video.sends && video.receives);
        assert_eq!(video.codecs.get(&96), Some(&Codec::Vp8));
        assert_eq!(video.apt.get(&97), Some(&96));
        assert_eq!(video.ssrcs, [1], "the repair flow is not media");
        assert_eq!(video.repairs.get(&2), Some(&1));
        assert_eq!(video.rids, ["q", "h"]);
    }

    #[test]
    fn port_0_refuses_a_section_that_has_no_port_elsewhere() {
        let sdp = "v=0\r\n\
                   m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=sendrecv\r\n\
                   m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=bundle-only\r\na=sendonly\r\n\
                   m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\na=recvonly\r\n";
        let description = Description::parse(sdp);
        let directions = |mid: &str| {
            let section = description.section(mid).unwrap();
            (section.sends, section.receives)
        };
        assert_eq!(directions("0"), (false, false));
        assert_eq!(directions("1"), (true, false));
        assert_eq!(directions("2"), (false, true));
    }

    #[test]
    fn an_answer_tells_how_a_voice_is_to_be_sent() {
        let answer = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=recvonly\r\n\
            a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n\
            m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=recvonly\r\na=rtpmap:111 opus/48000/2\r\n\
            a=fmtp:111 minptime=10\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:2\r\n\
            a=rtpmap:96 VP8/90000\r\na=fmtp:97 apt=96\r\n";
        let voice = |dtx, stereo| Some(Voice::Wanted { dtx, stereo });
        assert_eq!(with_voices(answer, |_| None), answer);
        assert_eq!(with_voices(answer, |_| voice(false, false)), answer);
        let quiet = with_voices(answer, |mid| (mid == "0").then_some(voice(true, false))?);
        assert!(quiet.contains("a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\n"));
        assert!(quiet.contains("a=fmtp:111 minptime=10\r\n"));
        let music = with_voices(answer, |_| voice(false, true));
        assert_eq!(
            music
                .matches(";stereo=1;maxaveragebitrate=510000\r\n")
                .count(),
            2
        );
        assert!(music.contains("a=fmtp:97 apt=96\r\n") && !music.contains("usedtx"));
        let offer = with_voices(answer, |mid| (mid == "1").then_some(Voice::Stereo));
        assert!(offer.contains("a=fmtp:111 minptime=10;sprop-stereo=1\r\n"));
    }

    #[test]
    fn candidates_are_left_out_and_nothing_else() {
        let offer = without_candidates(OFFER);
        assert!(!offer.contains("10.0.0.1"));
        assert_eq!(offer.lines().count() + 1, OFFER.lines().count());
        assert_eq!(first_attribute(&offer, "ice-ufrag"), Some("abcd"));
    }

    #[test]
    fn an_offer_has_no_more_sections_than_a_call_may_have() {
        let of = |sections| admissible(&"m=video 9 UDP/TLS/RTP/SAVPF 96\r\n".repeat(sections));
        assert!(of(MAX_SECTIONS).is_ok());
        assert!(matches!(
            of(MAX_SECTIONS + 1),
            Err(StackError::Description(_))
        ));
    }

    #[test]
    fn nonsense_is_passed_over() {
        for nonsense in [
            "",
            "m=",
            "a=mid:x",
            "m=video\na=fmtp:\na=ssrc:\na=rid:\na=extmap:999 x",
        ] {
            let description = Description::parse(nonsense);
            assert!(description.extensions.is_empty());
        }
    }
}
