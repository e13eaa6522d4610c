//! What every connection offers and answers: codecs, header extensions and feedback.

use rtc::{
    media_stream::MediaStreamTrack,
    peer_connection::configuration::media_engine::MediaEngine,
    rtp_transceiver::rtp_sender::{
        RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters,
        RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability, RTCRtpRtxParameters,
        RtpCodecKind,
    },
    shared::error::Result,
};

use super::{Codec, SenderSpec, sdp};

struct Offered {
    codec: Codec,
    payload_type: u8,
    parameters: &'static str,
}

const OFFERED: [Offered; 7] = [
    Offered {
        codec: Codec::Opus,
        payload_type: 111,
        parameters: "minptime=10;useinbandfec=1",
    },
    Offered {
        codec: Codec::Vp8,
        payload_type: 96,
        parameters: "",
    },
    Offered {
        codec: Codec::Vp9,
        payload_type: 98,
        parameters: "profile-id=0",
    },
    Offered {
        codec: Codec::H264,
        payload_type: 125,
        parameters: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
    },
    Offered {
        codec: Codec::H264,
        payload_type: 108,
        parameters: "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f",
    },
    Offered {
        codec: Codec::H264,
        payload_type: 123,
        parameters: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640032",
    },
    Offered {
        codec: Codec::Av1,
        payload_type: 35,
        parameters: "",
    },
];

fn feedback(audio: bool) -> Vec<RTCPFeedback> {
    let all = [
        ("transport-cc", ""),
        ("nack", ""),
        ("nack", "pli"),
        ("ccm", "fir"),
    ];
    all[..if audio { 1 } else { all.len() }]
        .iter()
        .map(|(typ, parameter)| RTCPFeedback {
            typ: (*typ).to_owned(),
            parameter: (*parameter).to_owned(),
        })
        .collect()
}

fn codec(offered: &Offered) -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: offered.codec.mime().to_owned(),
        clock_rate: offered.codec.clock_rate(),
        channels: if offered.codec.is_audio() { 2 } else { 0 },
        sdp_fmtp_line: offered.parameters.to_owned(),
        rtcp_feedback: feedback(offered.codec.is_audio()),
    }
}

/// The codec as the stack names it.
fn rtc_codec(wanted: Codec) -> RTCRtpCodec {
    OFFERED
        .iter()
        .find(|offered| offered.codec == wanted)
        .map(codec)
        .unwrap_or_default()
}

/// The kind of a codec as the stack names it.
fn kind(codec: Codec) -> RtpCodecKind {
    if codec.is_audio() {
        RtpCodecKind::Audio
    } else {
        RtpCodecKind::Video
    }
}

/// The track of a stream to the peer.
pub(super) fn track(spec: &SenderSpec) -> MediaStreamTrack {
    let encoding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            rid: String::new(),
            ssrc: Some(spec.ssrc),
            rtx: (!spec.codec.is_audio()).then_some(RTCRtpRtxParameters {
                ssrc: spec.rtx_ssrc,
            }),
            fec: None,
        },
        active: true,
        codec: rtc_codec(spec.codec),
        ..RTCRtpEncodingParameters::default()
    };
    MediaStreamTrack::new(
        spec.stream_id.clone(),
        spec.track_id.clone(),
        spec.track_id.clone(),
        kind(spec.codec),
        vec![encoding],
    )
}

/// Codecs and header extensions.
pub(super) fn media_engine() -> Result<MediaEngine> {
    let mut engine = MediaEngine::default();
    for offered in &OFFERED {
        let kind = kind(offered.codec);
        engine.register_codec(
            RTCRtpCodecParameters {
                rtp_codec: codec(offered),
                payload_type: offered.payload_type,
            },
            kind,
        )?;
        if kind == RtpCodecKind::Video {
            let rtx = RTCRtpCodec {
                mime_type: "video/rtx".to_owned(),
                clock_rate: 90_000,
                channels: 0,
                sdp_fmtp_line: format!("apt={}", offered.payload_type),
                rtcp_feedback: Vec::new(),
            };
            engine.register_codec(
                RTCRtpCodecParameters {
                    rtp_codec: rtx,
                    payload_type: offered.payload_type + 1,
                },
                kind,
            )?;
        }
    }
    let both = [sdp::MID, sdp::TRANSPORT_CC];
    let video = [sdp::RID, sdp::REPAIRED_RID, sdp::DEPENDENCY];
    for (uris, kind) in [
        (both.as_slice(), RtpCodecKind::Audio),
        (both.as_slice(), RtpCodecKind::Video),
        ([sdp::AUDIO_LEVEL].as_slice(), RtpCodecKind::Audio),
        (video.as_slice(), RtpCodecKind::Video),
    ] {
        for uri in uris {
            let extension = RTCRtpHeaderExtensionCapability {
                uri: (*uri).to_owned(),
            };
            engine.register_header_extension(extension, kind, None)?;
        }
    }
    Ok(engine)
}
