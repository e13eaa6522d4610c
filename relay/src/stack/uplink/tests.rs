use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{forward::testing::at, stack::outgoing::Outgoing};

/// A packet with its transport-wide number in extension 3.
fn numbered(ssrc: u32, number: u16) -> rtc::rtp::Packet {
    let mut header = rtc::rtp::Header {
        version: 2,
        ssrc,
        payload_type: 97,
        ..rtc::rtp::Header::default()
    };
    header
        .set_extension(3, Bytes::copy_from_slice(&number.to_be_bytes()))
        .unwrap();
    rtc::rtp::Packet {
        header,
        payload: Bytes::new(),
    }
}

#[test]
fn what_belongs_to_nothing_is_reported_as_arrived_all_the_same() {
    let mut uplink = Uplink::new();
    uplink.describe(Description::parse(&format!(
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:0\r\na=sendonly\r\n\
         a=extmap:3 {}\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n",
        sdp::TRANSPORT_CC
    )));
    assert_eq!(uplink.deadline(), None, "nothing came, nothing to say");
    for number in 0..5_u16 {
        let packet = numbered(77, number);
        uplink.media(packet, at(u64::from(number))).unwrap();
    }
    assert!(uplink.arrivals.is_empty());
    assert!(uplink.deadline().is_some_and(|due| due <= at(500)));
    let reported: u16 = uplink
        .feedback(at(500))
        .unwrap()
        .into_iter()
        .flatten()
        .filter_map(|packet| {
            let feedback = packet.as_any().downcast_ref::<TransportLayerCc>()?;
            Some(u16::try_from(feedback.recv_deltas.len()).unwrap())
        })
        .sum();
    assert_eq!(reported, 5);
}

/// The description of a publisher whose cameras were published one after the other, each in a section of its own.
fn cameras(count: u32) -> Description {
    let mut sdp = format!("v=0\r\na=extmap:4 {}\r\n", sdp::MID);
    for mid in 0..count {
        let direction = if mid + 1 == count {
            "sendonly"
        } else {
            "inactive"
        };
        let (media, repair) = (mid * 2 + 1_000, mid * 2 + 1_001);
        let section = format!(
            "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:{mid}\r\na={direction}\r\na=rtpmap:96 VP8/90000\r\n\
             a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=ssrc-group:FID {media} {repair}\r\n\
             a=ssrc:{media} cname:x\r\na=ssrc:{repair} cname:x\r\n",
        );
        sdp.push_str(&section);
    }
    Description::parse(&sdp)
}

#[test]
fn a_camera_published_again_and_again_is_still_taken() {
    let mut uplink = Uplink::new();
    for round in 0..120_u32 {
        uplink.describe(cameras(round + 1));
        for (ssrc, payload_type) in [(round * 2 + 1_000, 96), (round * 2 + 1_001, 97)] {
            let mut packet = numbered(ssrc, 0);
            packet.header.payload_type = payload_type;
            packet.payload = Bytes::from_static(&[0, 0, 1, 2, 3]);
            uplink.media(packet, at(u64::from(round))).unwrap();
        }
        let came = uplink.arrivals.iter().any(|arrival| {
            matches!(arrival, Arrival::Event(Event::Stream { ssrc, .. })
                if *ssrc == round * 2 + 1_000)
        });
        assert!(came, "round {round}");
        assert!(uplink.streams.len() <= MAX_STREAMS);
        uplink.arrivals.clear();
    }
}

/// A publisher of one camera in layers `q` and `h`, in VP8 (96) and H.264 (102), and in VP8 under another number (98).
fn layered() -> Uplink {
    let mut uplink = Uplink::new();
    uplink.describe(Description::parse(&format!(
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97 98 102\r\na=mid:0\r\na=sendonly\r\n\
         a=extmap:4 {}\r\na=extmap:10 {}\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\n\
         a=fmtp:97 apt=96\r\na=rtpmap:98 VP8/90000\r\na=rtpmap:102 H264/90000\r\n\
         a=rid:q send\r\na=rid:h send\r\na=simulcast:send q;h\r\n",
        sdp::MID,
        sdp::RID
    )));
    uplink
}

/// Takes a packet of a layer; what came of it: a new stream, media.
fn came(uplink: &mut Uplink, ssrc: u32, rid: &str, payload_type: u8, number: u16) -> [bool; 2] {
    let mut packet = numbered(ssrc, number);
    packet.header.payload_type = payload_type;
    packet.header.sequence_number = number;
    for (id, text) in [(4, "0"), (10, rid)] {
        let value = Bytes::copy_from_slice(text.as_bytes());
        packet.header.set_extension(id, value).unwrap();
    }
    packet.payload = Bytes::from_static(&[0x10, 0, 0]);
    uplink.media(packet, at(u64::from(number))).unwrap();
    let arrivals: Vec<Arrival> = uplink.arrivals.drain(..).collect();
    [
        arrivals
            .iter()
            .any(|one| matches!(one, Arrival::Event(Event::Stream { .. }))),
        arrivals
            .iter()
            .any(|one| matches!(one, Arrival::Event(Event::Media(_)))),
    ]
}

#[test]
fn a_layer_that_was_not_offered_is_nobodys() {
    let mut uplink = layered();
    for rid in ["f", "x", "", "Q", "q ", &"q".repeat(15)] {
        assert_eq!(came(&mut uplink, 7, rid, 96, 1), [false, false], "{rid}");
    }
    assert!(uplink.streams.is_empty(), "it takes no place");
    assert_eq!(came(&mut uplink, 7, "h", 96, 2), [true, true]);
}

#[test]
fn a_stream_keeps_its_codec() {
    let mut uplink = layered();
    assert_eq!(came(&mut uplink, 7, "q", 96, 1), [true, true]);
    assert_eq!(came(&mut uplink, 7, "q", 102, 2), [false, false]);
    assert_eq!(came(&mut uplink, 7, "q", 111, 3), [false, false]);
    let other_number = came(&mut uplink, 7, "q", 98, 4);
    assert_eq!(other_number, [false, true], "the same codec");
    assert_eq!(came(&mut uplink, 7, "q", 96, 2), [false, true]);
    assert_eq!(came(&mut uplink, 8, "h", 102, 1), [true, true]);
}

/// The streams of which a peer wants a key frame, by an RTCP message as it comes.
fn keyframes_wanted(octets: &[u8]) -> Vec<u32> {
    let mut uplink = Uplink::new();
    let packets = rtcp::packet::unmarshal(&mut &*octets).unwrap();
    uplink.control(packets, at(0)).unwrap();
    let wanted = uplink.arrivals.drain(..).map(|arrival| match arrival {
        Arrival::Event(Event::KeyframeWanted { ssrc }) => ssrc,
        other => panic!("{other:?}"),
    });
    wanted.collect()
}

#[test]
fn a_key_frame_is_asked_for_in_two_ways() {
    // RFC 4585 §6.3.1: the stream stands in the header.
    let pli = [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 7];
    assert_eq!(keyframes_wanted(&pli), [7]);
    // RFC 5104 §4.3.1: as many streams as there are entries, each with the number of its request; the header names none.
    let fir = |entries: u16| {
        let mut octets = vec![0x84, 206];
        octets.extend((2 + 2 * entries).to_be_bytes());
        octets.extend([0, 0, 0, 1, 0, 0, 0, 0]);
        for ssrc in 0..u32::from(entries) {
            octets.extend(ssrc.to_be_bytes());
            octets.extend([1, 0, 0, 0]);
        }
        keyframes_wanted(&octets)
    };
    assert_eq!(fir(2), [0, 1]);
    assert_eq!(fir(200).len(), MAX_ENTRIES, "nobody honest asks for more");
}

#[test]
fn a_packet_counts_once_and_an_old_one_never() {
    let mut seen = Seen::new();
    for sequence in [65_530, 65_531, 3, 65_534] {
        assert!(seen.insert(sequence), "{sequence} is new");
        assert!(!seen.insert(sequence), "{sequence} is known");
    }
    assert!(seen.insert(0) && seen.insert(1) && seen.insert(1_100));
    assert!(!seen.insert(3), "older than the window");
    assert!(seen.insert(100), "late, within the window");
    assert!(seen.insert(5_000) && seen.insert(4_999));
}

proptest! {
    #[test]
    fn whatever_somebody_with_keys_reports_is_survived(
        reports in vec((0..=31_u8, 200..=207_u8, vec(any::<u32>(), 0..30)), 1..4),
    ) {
        let mut octets = Vec::new();
        for (count, kind, words) in reports {
            octets.extend([0x80 | count, kind]);
            octets.extend(u16::try_from(words.len()).unwrap().to_be_bytes());
            octets.extend(words.into_iter().flat_map(u32::to_be_bytes));
        }
        let (mut uplink, mut outgoing) = (Uplink::new(), Outgoing::new());
        if let Ok(packets) = rtcp::packet::unmarshal(&mut octets.as_slice()) {
            let _ = uplink.control(packets, at(0));
        }
        for arrival in uplink.arrivals {
            let _ = outgoing.arrived(arrival, at(0));
        }
    }
}
