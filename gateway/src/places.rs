//! How many times one address keeps from others at once: chosen, or booked and not yet confirmed.
//!
//! A rate alone lets one address keep hundreds: each lasts for minutes. What counts here lives in memory, by address, and
//! goes with the hold or the time to confirm; a confirmed booking is a mail address's, and limited as that.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bridge::ids::OfficeSlug;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::{
    appointments::{BookingPhase, BookingView, TokenHash},
    limits::{Limited, OverLimit},
    state::Now,
};

/// A request is decided within this time.
const DECIDED_WITHIN: Duration = Duration::from_mins(1);

/// As many bookings that one address has made wait for one mailbox.
const MOST_OF_MAILBOX: usize = 3;

/// What a kept time goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    /// The house is still asked.
    Asked(u64),
    /// By the secret of the hold.
    Held(TokenHash),
    /// By office and code: its secret is in a mail.
    Booked(OfficeSlug, String),
}

/// Whose mailbox a booking waits for. Of the address only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mailbox([u8; 32]);

impl Mailbox {
    fn new(mail: &str) -> Self {
        Self(Sha256::digest(mail.to_lowercase().as_bytes()).into())
    }
}

#[derive(Debug)]
struct Kept {
    name: Name,
    until: Timestamp,
    /// Once it is booked.
    mailbox: Option<Mailbox>,
}

#[derive(Debug, Default)]
struct Ledger {
    by_address: HashMap<IpAddr, Vec<Kept>>,
    asked: u64,
}

impl Ledger {
    /// Forgets what no longer keeps anything.
    fn forget(&mut self, gone: impl Fn(&Kept) -> bool) {
        self.by_address.retain(|_, kept| {
            kept.retain(|one| !gone(one));
            !kept.is_empty()
        });
    }

    fn find(&mut self, name: &Name) -> Option<&mut Kept> {
        self.by_address
            .values_mut()
            .flatten()
            .find(|kept| kept.name == *name)
    }
}

/// The times that addresses keep.
pub(crate) struct Places {
    most: usize,
    now: Now,
    ledger: Arc<Mutex<Ledger>>,
}

impl Places {
    pub(crate) fn new(most: u32, now: &Now) -> Self {
        Self {
            most: most as usize,
            now: Arc::clone(now),
            ledger: Arc::default(),
        }
    }

    /// An address wants one more. Counted at once, so that many requests at the same moment are no way round.
    pub(crate) fn ask(&self, address: IpAddr) -> Result<Asked, OverLimit> {
        let now = (self.now)();
        let mut ledger = lock(&self.ledger);
        ledger.forget(|kept| kept.until <= now);
        ledger.asked += 1;
        let name = Name::Asked(ledger.asked);
        let kept = ledger.by_address.entry(address).or_default();
        if kept.len() >= self.most {
            return Err(over(kept.iter().map(|one| one.until).min(), now));
        }
        kept.push(Kept {
            name: name.clone(),
            until: now.saturating_add(DECIDED_WITHIN).unwrap_or(now),
            mailbox: None,
        });
        Ok(Asked {
            ledger: Arc::clone(&self.ledger),
            name: Some(name),
        })
    }

    /// The hold is to be booked with this mail address. Whoever holds it may have a few mails sent to one mailbox before
    /// one of them is confirmed: it may be somebody else's.
    pub(crate) fn may_book(&self, hold: &TokenHash, mail: &str) -> Result<(), OverLimit> {
        let now = (self.now)();
        let mut ledger = lock(&self.ledger);
        ledger.forget(|kept| kept.until <= now);
        let (held, mailbox) = (Name::Held(hold.clone()), Some(Mailbox::new(mail)));
        let mut addresses = ledger.by_address.values_mut();
        let Some(kept) = addresses.find(|kept| kept.iter().any(|one| one.name == held)) else {
            return Ok(());
        };
        let others = kept.iter().filter(|one| one.name != held);
        let same = others.filter(|one| one.mailbox == mailbox);
        let until = same.clone().map(|one| one.until).min();
        if same.count() >= MOST_OF_MAILBOX {
            return Err(over(until, now));
        }
        // Counted at once, like what is asked for.
        if let Some(one) = kept.iter_mut().find(|one| one.name == held) {
            one.mailbox = mailbox;
        }
        Ok(())
    }

    /// The hold has become a booking.
    pub(crate) fn booked(&self, hold: &TokenHash, view: &BookingView) {
        let mut ledger = lock(&self.ledger);
        let held = Name::Held(hold.clone());
        match (view.phase, view.expires_at) {
            (BookingPhase::Unconfirmed, Some(until)) => {
                if let Some(kept) = ledger.find(&held) {
                    kept.name = Name::Booked(view.office.clone(), view.code.clone());
                    kept.until = until;
                }
            }
            _ => ledger.forget(|kept| kept.name == held),
        }
    }

    /// The hold was given back.
    pub(crate) fn let_go(&self, hold: &TokenHash) {
        let held = Name::Held(hold.clone());
        lock(&self.ledger).forget(|kept| kept.name == held);
    }

    /// The booking was confirmed or cancelled, from whatever address.
    pub(crate) fn decided(&self, view: &BookingView) {
        let booked = Name::Booked(view.office.clone(), view.code.clone());
        lock(&self.ledger).forget(|kept| kept.name == booked);
    }
}

/// One that is asked for. Unless it is [`Asked::held`], it keeps nothing.
#[derive(Debug)]
pub(crate) struct Asked {
    ledger: Arc<Mutex<Ledger>>,
    name: Option<Name>,
}

impl Asked {
    /// The house holds it.
    pub(crate) fn held(mut self, hold: TokenHash, until: Timestamp) {
        let name = self.name.take();
        let mut ledger = lock(&self.ledger);
        if let Some(kept) = name.and_then(|name| ledger.find(&name)) {
            kept.name = Name::Held(hold);
            kept.until = until;
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(name) = self.name.take() {
            lock(&self.ledger).forget(|kept| kept.name == name);
        }
    }
}

/// Too much until then.
fn over(until: Option<Timestamp>, now: Timestamp) -> OverLimit {
    OverLimit {
        limit: Limited::PlacesOfAddress,
        retry_after: until
            .and_then(|until| Duration::try_from(until.duration_since(now)).ok())
            .unwrap_or(DECIDED_WITHIN),
    }
}

fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use bridge::ids::Language;
    use jiff::civil::date;

    use super::*;
    use crate::appointments::{Holder, Token};

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn hash(number: u8) -> TokenHash {
        Token::from_bytes([number; 32]).hash()
    }

    /// Two at most, and a clock to turn.
    fn places() -> (Places, Arc<AtomicI64>) {
        let time = Arc::new(AtomicI64::new(0));
        let shown = Arc::clone(&time);
        let now: Now = Arc::new(move || second(shown.load(Ordering::Relaxed)));
        (Places::new(2, &now), time)
    }

    fn view(code: &str, phase: BookingPhase, expires_at: Option<Timestamp>) -> BookingView {
        BookingView {
            holder: Holder::Booker,
            office: "gewerbe".parse().unwrap(),
            code: code.to_owned(),
            phase,
            start: second(9000),
            end: second(9600),
            civil: date(1970, 1, 1).at(3, 30, 0, 0),
            services: Vec::new(),
            language: Language::De,
            name: None,
            expires_at,
            check_in_from: second(8100),
            wants_earlier: false,
            offer: None,
            waiting: None,
            visit: None,
        }
    }

    #[test]
    fn an_address_keeps_so_many_at_once_and_others_keep_theirs() {
        let (places, time) = places();
        places.ask(HOME).unwrap().held(hash(1), second(600));
        places.ask(HOME).unwrap().held(hash(2), second(500));
        let over = places.ask(HOME).unwrap_err();
        assert_eq!(over.retry_after, Duration::from_secs(500));
        places.ask(OTHER).unwrap().held(hash(3), second(600));
        time.store(500, Ordering::Relaxed);
        places.ask(HOME).unwrap().held(hash(4), second(1100));
        assert!(places.ask(HOME).is_err());
        places.let_go(&hash(1));
        assert!(places.ask(HOME).is_ok());
    }

    #[test]
    fn one_address_fills_nobodys_mailbox_and_locks_nobody_out() {
        let (mut places, _) = places();
        places.most = 9;
        for number in 1..=5 {
            places.ask(HOME).unwrap().held(hash(number), second(600));
        }
        for number in 1..=3 {
            // However often one tries with the same time.
            places.may_book(&hash(number), "Erika@example.org").unwrap();
            places.may_book(&hash(number), "erika@example.org").unwrap();
            let expires_at = Some(second(2400));
            let view = view(&number.to_string(), BookingPhase::Unconfirmed, expires_at);
            places.booked(&hash(number), &view);
        }
        let over = places.may_book(&hash(4), "erika@EXAMPLE.org").unwrap_err();
        assert_eq!(over.retry_after, Duration::from_mins(40));
        places.may_book(&hash(4), "max@example.org").unwrap();
        places.ask(OTHER).unwrap().held(hash(6), second(600));
        places.may_book(&hash(6), "erika@example.org").unwrap();
        places.decided(&view("2", BookingPhase::Confirmed, None));
        places.may_book(&hash(5), "erika@example.org").unwrap();
    }

    #[test]
    fn what_is_asked_counts_until_it_is_decided() {
        let (places, _) = places();
        let first = places.ask(HOME).unwrap();
        let _second = places.ask(HOME).unwrap();
        assert!(places.ask(HOME).is_err());
        drop(first);
        assert!(places.ask(HOME).is_ok());
    }

    #[test]
    fn a_booking_counts_until_it_is_confirmed_by_whomever() {
        let (places, time) = places();
        let waiting = |code: &str| view(code, BookingPhase::Unconfirmed, Some(second(2400)));
        for number in [1, 2] {
            places.ask(HOME).unwrap().held(hash(number), second(600));
            places.booked(&hash(number), &waiting(&number.to_string()));
        }
        time.store(700, Ordering::Relaxed);
        assert!(places.ask(HOME).is_err());
        places.decided(&view("1", BookingPhase::Confirmed, None));
        let third = places.ask(HOME).unwrap();
        third.held(hash(3), second(1300));
        assert!(places.ask(HOME).is_err());
        // One that needs no confirmation keeps nothing of the address's.
        places.booked(&hash(3), &view("3", BookingPhase::Confirmed, None));
        assert!(places.ask(HOME).is_ok());
        time.store(2400, Ordering::Relaxed);
        drop(places.ask(HOME).unwrap());
        assert!(lock(&places.ledger).by_address.is_empty());
    }
}
