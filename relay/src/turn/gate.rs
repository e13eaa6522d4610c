//! What is asked of whoever comes to the TURN server, before anything is remembered of them.
//!
//! Anybody can write any sender on a datagram. So a challenge (RFC 8489 §9.2.4) costs an answer and no memory: its nonce
//! tells until when it holds, and is signed for the address that it went to. Only who shows it again together with
//! credentials gets to the `turn` crate, which would else remember each nonce that it gives out.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use stun::{
    attributes::{ATTR_MESSAGE_INTEGRITY, ATTR_NONCE, ATTR_REALM, ATTR_USERNAME},
    error_code::{
        CODE_ALLOC_QUOTA_REACHED, CODE_STALE_NONCE, CODE_UNAUTHORIZED, ErrorCode,
        ErrorCodeAttribute,
    },
    fingerprint::FINGERPRINT,
    integrity::MessageIntegrity,
    message::{
        BINDING_SUCCESS, CLASS_ERROR_RESPONSE, CLASS_INDICATION, CLASS_REQUEST, METHOD_ALLOCATE,
        METHOD_BINDING, METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION, METHOD_REFRESH, METHOD_SEND,
        Message, MessageType, Setter,
    },
    textattrs::TextAttribute,
    xoraddr::XorMappedAddress,
};
use turn::auth::generate_auth_key;

use super::credentials;

/// A nonce holds so long (RFC 8656 §5 recommends at most an hour).
const NONCE_LIFETIME: Duration = Duration::from_hours(1);

/// What a packet comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Something for an allocation, if its sender has one.
    Data,
    /// A request by somebody who has shown credentials, and the nonce that they showed.
    Request { nonce: String, allocates: bool },
    /// To be answered with this, and forgotten.
    Answer(Vec<u8>),
    /// Not for a TURN server.
    Nothing,
}

/// Looks at everybody's packets.
pub(super) struct Gate {
    pub(super) realm: String,
    pub(super) secret: Arc<[u8]>,
}

impl Gate {
    /// What a packet from there comes to at `now_s` (seconds since 1970).
    pub(super) fn judge(&self, from: SocketAddr, packet: &[u8], now_s: u64) -> Verdict {
        match packet.first().map(|first| first >> 6) {
            Some(0b00) => {}
            Some(0b01) => return Verdict::Data,
            _ => return Verdict::Nothing,
        }
        let Some(message) = read(packet) else {
            return Verdict::Nothing;
        };
        let MessageType { method, class } = message.typ;
        if class == CLASS_INDICATION && method == METHOD_SEND {
            return Verdict::Data;
        }
        if class != CLASS_REQUEST {
            return Verdict::Nothing;
        }
        match method {
            METHOD_BINDING => mapped(&message, from),
            METHOD_ALLOCATE | METHOD_REFRESH | METHOD_CREATE_PERMISSION | METHOD_CHANNEL_BIND => {
                self.examine(&message, from, now_s)
            }
            _ => Verdict::Nothing,
        }
    }

    /// The answer to a request that there is no place for.
    pub(super) fn no_place(packet: &[u8]) -> Option<Vec<u8>> {
        metrics::counter!("relay_turn_refused_total", "reason" => "full").increment(1);
        error(&read(packet)?, CODE_ALLOC_QUOTA_REACHED, Vec::new())
    }

    fn examine(&self, message: &Message, from: SocketAddr, now_s: u64) -> Verdict {
        if !message.contains(ATTR_MESSAGE_INTEGRITY) {
            return self.challenge(message, CODE_UNAUTHORIZED, from, now_s);
        }
        let text = |attribute| {
            TextAttribute::get_from_as(message, attribute)
                .ok()
                .map(|found| found.text)
        };
        let Some(nonce) = text(ATTR_NONCE).filter(|nonce| self.gave(nonce, from, now_s)) else {
            return self.challenge(message, CODE_STALE_NONCE, from, now_s);
        };
        let genuine = text(ATTR_REALM).is_some_and(|realm| realm == self.realm)
            && text(ATTR_USERNAME).is_some_and(|user| self.is_signed(message, &user, now_s));
        if !genuine {
            metrics::counter!("relay_turn_refused_total", "reason" => "credentials").increment(1);
            return self.challenge(message, CODE_UNAUTHORIZED, from, now_s);
        }
        Verdict::Request {
            nonce,
            allocates: message.typ.method == METHOD_ALLOCATE,
        }
    }

    fn is_signed(&self, message: &Message, user: &str, now_s: u64) -> bool {
        let password = credentials::password(&self.secret, user, now_s);
        password.is_some_and(|password| {
            let key = generate_auth_key(user, &self.realm, &password);
            MessageIntegrity(key).check(&mut message.clone()).is_ok()
        })
    }

    fn challenge(
        &self,
        message: &Message,
        code: ErrorCode,
        from: SocketAddr,
        now_s: u64,
    ) -> Verdict {
        metrics::counter!("relay_turn_challenges_total").increment(1);
        let nonce = self.nonce(from, now_s + NONCE_LIFETIME.as_secs());
        let attributes: Vec<Box<dyn Setter>> = vec![
            Box::new(TextAttribute::new(ATTR_NONCE, nonce)),
            Box::new(TextAttribute::new(ATTR_REALM, self.realm.clone())),
        ];
        error(message, code, attributes).map_or(Verdict::Nothing, Verdict::Answer)
    }

    fn nonce(&self, from: SocketAddr, until: u64) -> String {
        // No user name begins like that, so a nonce is nobody's password.
        let signature = credentials::sign(&self.secret, &format!("nonce:{until}:{from}"));
        format!("{until}:{signature}")
    }

    fn gave(&self, nonce: &str, from: SocketAddr, now_s: u64) -> bool {
        let until = nonce
            .split_once(':')
            .and_then(|(until, _)| until.parse().ok());
        until.is_some_and(|until| now_s < until && nonce == self.nonce(from, until))
    }
}

fn read(packet: &[u8]) -> Option<Message> {
    let mut message = Message {
        raw: packet.to_vec(),
        ..Message::default()
    };
    message.decode().ok()?;
    // What follows the message would be taken for a part of it where it is signed.
    (message.raw.len() == 20 + message.length as usize).then_some(message)
}

/// Tells clients the address that they have from here, which they ask TURN servers for as well.
fn mapped(request: &Message, from: SocketAddr) -> Verdict {
    let address = XorMappedAddress {
        ip: from.ip(),
        port: from.port(),
    };
    let attributes: Vec<Box<dyn Setter>> = vec![Box::new(address), Box::new(FINGERPRINT)];
    build(request, BINDING_SUCCESS, attributes).map_or(Verdict::Nothing, Verdict::Answer)
}

fn error(request: &Message, code: ErrorCode, more: Vec<Box<dyn Setter>>) -> Option<Vec<u8>> {
    let kind = MessageType::new(request.typ.method, CLASS_ERROR_RESPONSE);
    let code = ErrorCodeAttribute {
        code,
        reason: Vec::new(),
    };
    let mut attributes: Vec<Box<dyn Setter>> = vec![Box::new(code)];
    attributes.extend(more);
    build(request, kind, attributes)
}

fn build(
    request: &Message,
    kind: MessageType,
    attributes: Vec<Box<dyn Setter>>,
) -> Option<Vec<u8>> {
    let mut all: Vec<Box<dyn Setter>> = vec![Box::new(request.transaction_id), Box::new(kind)];
    all.extend(attributes);
    let mut answer = Message::new();
    answer.build(&all).ok()?;
    Some(answer.raw)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stun::{error_code::ErrorCodeAttribute, message::Getter as _};

    use super::*;

    const NOW: u64 = 1_000;

    fn gate() -> Gate {
        Gate {
            realm: "localhost".to_owned(),
            secret: Arc::from([7; 32]),
        }
    }

    fn somebody() -> SocketAddr {
        "192.0.2.1:5".parse().unwrap()
    }

    fn allocate(attributes: Vec<Box<dyn Setter>>) -> Vec<u8> {
        let kind = MessageType::new(METHOD_ALLOCATE, CLASS_REQUEST);
        build(&Message::new(), kind, attributes).unwrap()
    }

    /// The code and the nonce of an answer.
    fn answer(verdict: Verdict) -> (u16, String) {
        let Verdict::Answer(raw) = verdict else {
            panic!("{verdict:?}");
        };
        let answer = read(&raw).unwrap();
        let mut code = ErrorCodeAttribute::default();
        code.get_from(&answer).unwrap();
        let nonce = TextAttribute::get_from_as(&answer, ATTR_NONCE).unwrap();
        (code.code.0, nonce.text)
    }

    fn signed(nonce: &str, secret: &[u8]) -> Vec<u8> {
        let issued = credentials::issue(secret, NOW + 600, "label");
        let key = generate_auth_key(&issued.username, "localhost", &issued.password);
        allocate(vec![
            Box::new(TextAttribute::new(ATTR_USERNAME, issued.username)),
            Box::new(TextAttribute::new(ATTR_REALM, "localhost".to_owned())),
            Box::new(TextAttribute::new(ATTR_NONCE, nonce.to_owned())),
            Box::new(MessageIntegrity(key)),
        ])
    }

    #[test]
    fn whoever_answers_the_challenge_comes_in() {
        let gate = gate();
        let (code, nonce) = answer(gate.judge(somebody(), &allocate(Vec::new()), NOW));
        assert_eq!(code, CODE_UNAUTHORIZED.0);
        let packet = signed(&nonce, &[7; 32]);
        let expected = Verdict::Request {
            nonce,
            allocates: true,
        };
        assert_eq!(gate.judge(somebody(), &packet, NOW), expected);
    }

    #[test]
    fn a_challenge_holds_for_one_address_and_one_hour() {
        let gate = gate();
        let (_, nonce) = answer(gate.judge(somebody(), &allocate(Vec::new()), NOW));
        let packet = signed(&nonce, &[7; 32]);
        let elsewhere = "192.0.2.1:6".parse().unwrap();
        for (from, now) in [(elsewhere, NOW), (somebody(), NOW + 3600)] {
            assert_eq!(answer(gate.judge(from, &packet, now)).0, CODE_STALE_NONCE.0);
        }
        let invented = signed("9999999999:abc", &[7; 32]);
        let verdict = gate.judge(somebody(), &invented, NOW);
        assert_eq!(answer(verdict).0, CODE_STALE_NONCE.0);
    }

    #[test]
    fn credentials_of_another_secret_are_none() {
        let gate = gate();
        let (_, nonce) = answer(gate.judge(somebody(), &allocate(Vec::new()), NOW));
        let verdict = gate.judge(somebody(), &signed(&nonce, &[8; 32]), NOW);
        assert_eq!(answer(verdict).0, CODE_UNAUTHORIZED.0);
    }

    proptest! {
        #[test]
        fn noise_is_survived(
            head in prop_oneof![Just(0x0003_u16), Just(0x0001), Just(0x0016), any::<u16>()],
            body in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut packet = head.to_be_bytes().to_vec();
            packet.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
            packet.extend(0x2112_a442_u32.to_be_bytes());
            packet.extend([1; 12]);
            packet.extend(&body);
            let verdict = gate().judge(somebody(), &packet, NOW);
            let comes_in = matches!(verdict, Verdict::Request { .. });
            prop_assert!(!comes_in);
        }
    }
}
