//! Session descriptions of peers: read by the relay itself, and taken by its stack.

use relay::stack::{
    Codec, Protocol, SenderSpec, Stack as _, WebrtcStack,
    sdp::{Description, without_candidates},
};

use super::origin;

/// Any text as an offer: read, taken, and taken once more when something is sent to its peer.
///
/// # Panics
///
/// When a candidate is left in it, or an answer says nothing.
pub fn sdp(octets: &[u8]) {
    let Some((flags, text)) = octets.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(text);
    let description = Description::parse(&text);
    for section in &description.sections {
        assert!(section.ssrcs.len() <= 16 && section.rids.len() <= 8);
    }
    let offer = without_candidates(&text);
    assert!(!offer.lines().any(|line| line.starts_with("a=candidate:")));

    let address = ([192, 0, 2, 1], 7882).into();
    let mut stack = WebrtcStack::new(vec![(Protocol::Udp, address), (Protocol::Tcp, address)]);
    let now = origin();
    let answers_only = flags & 1 == 1;
    let Ok(mut connection) = stack.connection(answers_only, now) else {
        return;
    };
    let spec = SenderSpec {
        stream_id: "PA_x|TR_x".to_owned(),
        track_id: "TR_x".to_owned(),
        codec: Codec::Vp8,
        ssrc: 900,
        rtx_ssrc: 901,
    };
    if flags & 2 == 2 {
        // An answer to an offer of ours.
        let _ = connection.add_sender(&spec);
        if connection.make_offer(false, now).is_ok() {
            let _ = connection.accept_answer(&text, now);
        }
    } else {
        for round in 0..2 {
            if let Ok(answer) = connection.accept_offer(&text, now) {
                assert!(answer.starts_with("v=0"), "{answer}");
            }
            if round == 0
                && let Ok(sender) = connection.add_sender(&spec)
            {
                let _ = connection.sender_mid(sender);
            }
        }
    }
    while connection.poll_event().is_some() {}
    while connection.poll_transmit().is_some() {}
}
