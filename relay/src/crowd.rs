//! How many connections there may be at a time, and how many of one peer.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// Whom an address belongs to: itself with IPv4, its network with IPv6, where everybody has 2⁶⁴ addresses.
pub(crate) fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// Connections, each somebody's.
#[derive(Debug)]
pub(crate) struct Crowd<K> {
    most: usize,
    most_of_one: usize,
    members: Mutex<Members<K>>,
}

#[derive(Debug)]
struct Members<K> {
    next: u64,
    /// By their age, the oldest first.
    places: BTreeMap<u64, (K, Arc<Notify>)>,
}

impl<K: PartialEq> Members<K> {
    fn of(&self, who: &K) -> usize {
        self.places.values().filter(|(of, _)| of == who).count()
    }
}

impl<K: PartialEq> Crowd<K> {
    /// At most so many, and so many of one.
    pub(crate) fn new(most: usize, most_of_one: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            most_of_one,
            members: Mutex::new(Members {
                next: 0,
                places: BTreeMap::new(),
            }),
        })
    }

    /// A place, if there is one.
    pub(crate) fn admit(self: &Arc<Self>, who: K) -> Option<Place<K>> {
        let mut members = self.members();
        let full = members.places.len() >= self.most || members.of(&who) >= self.most_of_one;
        (!full).then(|| self.place(&mut members, who))
    }

    /// A place in any case: where there are too many, whoever has been there longest has to go, of the same peer or of
    /// all. Right for those who wait for something that takes a moment: whoever is quick is not kept out by who is not.
    pub(crate) fn squeeze_in(self: &Arc<Self>, who: K) -> Place<K> {
        let mut members = self.members();
        let goes = if members.of(&who) >= self.most_of_one {
            members.places.iter().find(|(_, (of, _))| *of == who)
        } else if members.places.len() >= self.most {
            members.places.iter().next()
        } else {
            None
        };
        if let Some(number) = goes.map(|(number, _)| *number)
            && let Some((_, must_go)) = members.places.remove(&number)
        {
            must_go.notify_one();
        }
        self.place(&mut members, who)
    }

    fn place(self: &Arc<Self>, members: &mut Members<K>, who: K) -> Place<K> {
        let must_go = Arc::new(Notify::new());
        let number = members.next;
        members.next += 1;
        members.places.insert(number, (who, Arc::clone(&must_go)));
        Place {
            crowd: Arc::clone(self),
            number,
            must_go,
        }
    }

    fn members(&self) -> MutexGuard<'_, Members<K>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in a crowd, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place<K: PartialEq> {
    crowd: Arc<Crowd<K>>,
    number: u64,
    must_go: Arc<Notify>,
}

impl<K: PartialEq> Place<K> {
    /// Waits until the place is needed for somebody else.
    pub(crate) async fn must_go(&self) {
        self.must_go.notified().await;
    }
}

impl<K: PartialEq> Drop for Place<K> {
    fn drop(&mut self) {
        self.crowd.members().places.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Waker},
    };

    use super::*;

    fn has_to_go<K: PartialEq>(place: &Place<K>) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(place.must_go()).poll(&mut context).is_ready()
    }

    #[test]
    fn there_are_no_more_than_there_may_be() {
        let crowd = Crowd::new(3, 2);
        let first = crowd.admit('a').expect("there is room");
        let _second = crowd.admit('a').expect("there is room");
        assert!(crowd.admit('a').is_none(), "too many of one");
        let _other = crowd.admit('b').expect("there is room");
        assert!(crowd.admit('c').is_none(), "too many");
        drop(first);
        assert!(crowd.admit('c').is_some());
    }

    #[test]
    fn whoever_has_waited_longest_goes() {
        let crowd = Crowd::new(3, 2);
        let a = [crowd.squeeze_in('a'), crowd.squeeze_in('a')];
        let b = crowd.squeeze_in('b');
        let third = crowd.squeeze_in('a');
        assert!(has_to_go(&a[0]) && !has_to_go(&a[1]) && !has_to_go(&b));
        let c = crowd.squeeze_in('c');
        assert!(has_to_go(&a[1]) && !has_to_go(&b) && !has_to_go(&third));
        drop((a, third));
        let _d = crowd.squeeze_in('d');
        assert!(!has_to_go(&b) && !has_to_go(&c));
    }

    #[test]
    fn a_household_is_an_address_or_a_network() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(household(address), expected.parse::<IpAddr>().unwrap());
        }
    }
}
