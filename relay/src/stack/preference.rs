//! Which protection of media a handshake agrees on (RFC 5764 §4.1.2).
//!
//! `rtc` as the server takes the first of the client's profiles that it knows, and Chromium names AES-GCM last, which
//! costs the least time of all here. The stack chooses by the client's first hello. That one has no part in what both
//! sides sign in the end (RFC 6347 §4.2.1), since it only fetches a cookie; so its list may be put in another order.

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const USE_SRTP: u16 = 14;
/// Of a record, and of a handshake message in it (RFC 6347 §4.1, §4.2.2).
const RECORD: usize = 13;
const MESSAGE: usize = 12;
/// A longer hello is left as it is.
const LONGEST: usize = 8 * 1024;
/// `SRTP_AEAD_AES_128_GCM` and `SRTP_AEAD_AES_256_GCM` (RFC 7714 §14.2), the better one first.
const PREFERRED: [[u8; 2]; 2] = [[0, 7], [0, 8]];

/// Puts AES-GCM in front in a client's first hello. Everything else stays as it is.
#[derive(Debug, Default)]
pub(super) struct Preference {
    /// What has come of a hello, from its beginning. Chromium's comes in two datagrams.
    hello: Vec<u8>,
}

impl Preference {
    /// Looks at a datagram of the client's, which begins with the record in question.
    pub(super) fn apply(&mut self, datagram: &mut [u8]) {
        if let Some(profiles) = self.profiles(datagram) {
            let (pairs, _) = profiles.as_chunks_mut::<2>();
            pairs.sort_by_key(|profile| {
                let preferred = PREFERRED.iter().position(|preferred| preferred == profile);
                preferred.unwrap_or(PREFERRED.len())
            });
        }
    }

    fn profiles<'a>(&mut self, datagram: &'a mut [u8]) -> Option<&'a mut [u8]> {
        let (record, rest) = datagram.split_at_mut_checked(RECORD)?;
        // Type, and the epoch before any keys.
        if record[0] != HANDSHAKE || record[3..5] != [0, 0] {
            return None;
        }
        let length = usize::from(u16::from_be_bytes([record[11], record[12]]));
        let (head, part) = rest.get_mut(..length)?.split_at_mut_checked(MESSAGE)?;
        if head[0] != CLIENT_HELLO {
            return None;
        }
        let begin = number(&head[6..9]);
        if begin == 0 {
            self.hello.clear();
        }
        if begin != self.hello.len() || begin + part.len() > LONGEST {
            return None;
        }
        self.hello.extend_from_slice(part);
        let (from, to) = place(&self.hello)?;
        part.get_mut(from.checked_sub(begin)?..to.checked_sub(begin)?)
    }
}

/// Where the list of profiles stands in a hello without a cookie, as far as that has come.
fn place(hello: &[u8]) -> Option<(usize, usize)> {
    // Version and random number.
    let mut at = 34;
    at = after(hello, at, 1)?;
    if *hello.get(at)? != 0 {
        return None;
    }
    at = after(hello, at, 1)?;
    at = after(hello, at, 2)?;
    at = after(hello, at, 1)?;
    // The extensions' length.
    at += 2;
    while number(hello.get(at..at + 2)?) != usize::from(USE_SRTP) {
        at = after(hello, at + 2, 2)?;
    }
    let list = at + 6;
    let end = list + number(hello.get(at + 4..list)?);
    (end <= hello.len()).then_some((list, end))
}

/// Where it goes on after a value whose length stands before it in so many octets.
fn after(hello: &[u8], at: usize, octets: usize) -> Option<usize> {
    Some(at + octets + number(hello.get(at..at + octets)?))
}

fn number(octets: &[u8]) -> usize {
    octets
        .iter()
        .fold(0, |number, octet| number << 8 | usize::from(*octet))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(cookie: &[u8], profiles: &[u8]) -> Vec<u8> {
        let two = |length: usize| u16::try_from(length).unwrap().to_be_bytes();
        let mut body = vec![0xfe, 0xfd];
        body.extend([9; 32]);
        body.push(0);
        body.push(u8::try_from(cookie.len()).unwrap());
        body.extend(cookie);
        body.extend([0, 2, 0xc0, 0x2b, 1, 0]);
        let mut extensions = vec![0, 23, 0, 0];
        extensions.extend([0, 14]);
        extensions.extend(two(profiles.len() + 3));
        extensions.extend(two(profiles.len()));
        extensions.extend(profiles);
        extensions.extend([0, 0xff, 1, 0, 1, 0]);
        body.extend(two(extensions.len()));
        body.extend(&extensions);
        let length = two(body.len());
        let mut datagram = vec![22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0];
        datagram.extend(two(body.len() + 12));
        datagram.extend([
            1, 0, length[0], length[1], 0, 0, 0, 0, 0, 0, length[0], length[1],
        ]);
        datagram.extend(&body);
        datagram
    }

    #[test]
    fn aes_gcm_comes_first_where_it_is_offered() {
        let mut first = hello(&[], &[0, 1, 0, 2, 0, 8, 0, 7]);
        Preference::default().apply(&mut first);
        assert_eq!(first, hello(&[], &[0, 7, 0, 8, 0, 1, 0, 2]));
        let mut without = hello(&[], &[0, 1, 0, 2]);
        Preference::default().apply(&mut without);
        assert_eq!(without, hello(&[], &[0, 1, 0, 2]));
    }

    /// The same hello in two datagrams, the first of so many octets of the message.
    fn torn(hello: &[u8], length: usize) -> [Vec<u8>; 2] {
        let (head, body) = hello.split_at(RECORD + MESSAGE);
        let part = |from: usize, to: usize| {
            let mut datagram = head.to_vec();
            let two = |number: usize| u16::try_from(number).unwrap().to_be_bytes();
            datagram[11..13].copy_from_slice(&two(to - from + MESSAGE));
            datagram[20..22].copy_from_slice(&two(from));
            datagram[23..25].copy_from_slice(&two(to - from));
            datagram.extend(&body[from..to]);
            datagram
        };
        [part(0, length), part(length, body.len())]
    }

    #[test]
    fn a_hello_in_two_datagrams_is_one() {
        let (before, after) = (
            hello(&[], &[0, 1, 0, 8, 0, 7]),
            hello(&[], &[0, 7, 0, 8, 0, 1]),
        );
        let mut preference = Preference::default();
        // Repeated, as a client does that hears nothing.
        for _ in 0..2 {
            let mut parts = torn(&before, 46);
            for part in &mut parts {
                preference.apply(part);
            }
            assert_eq!(parts, torn(&after, 46));
        }
        let signed = hello(&[7; 20], &[0, 1, 0, 8, 0, 7]);
        let mut parts = torn(&signed, 66);
        for part in &mut parts {
            preference.apply(part);
        }
        assert_eq!(parts, torn(&signed, 66));
    }

    #[test]
    fn what_both_sides_sign_stays_as_it_is() {
        let signed = hello(&[7; 20], &[0, 1, 0, 7]);
        let mut second = signed.clone();
        Preference::default().apply(&mut second);
        assert_eq!(second, signed);
    }

    #[test]
    fn stumps_are_left_alone() {
        let whole = hello(&[], &[0, 1, 0, 7]);
        for length in 0..whole.len() {
            let mut cut = whole[..length].to_vec();
            Preference::default().apply(&mut cut);
            assert_eq!(cut, whole[..length], "{length} octets");
        }
    }
}
