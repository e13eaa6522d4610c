//! Which connection a datagram belongs to.
//!
//! A connection is found by the ICE user name that its peer's checks name. Once the connection has answered a check
//! with success, or checks the peer in turn, the peer's address leads to it. What comes from an unknown address and is
//! no check that names a known user costs one look into a table.
//!
//! A check proves that its sender knows the connection's password, not that it is where it says. So a connection has
//! few addresses, the least recently checked of which goes first, and none that somebody else still checks from.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{PoisonError, RwLock, RwLockReadGuard},
    time::{Duration, Instant},
};

use crate::room::ConnectionKey;

/// A connection among all rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Route {
    /// The thread that carries the room.
    pub(crate) shard: usize,
    /// The room on that thread.
    pub(crate) room: u64,
    /// The connection in the room.
    pub(crate) connection: ConnectionKey,
}

/// Addresses that lead to one connection. A browser has one for each of its networks and each way to us.
const MOST_ADDRESSES: usize = 16;
/// Whoever checks from an address keeps it for so long. Clients check every five seconds (RFC 7675 §5.1), and one
/// check or two may get lost.
const KEPT: Duration = Duration::from_secs(15);

/// Whose an address is.
#[derive(Clone, Copy, Debug)]
struct Owner {
    route: Route,
    checked: Instant,
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Table {
    users: HashMap<String, Route>,
    addresses: HashMap<SocketAddr, Owner>,
    /// Each connection's addresses, the last checked one at the end.
    of_route: HashMap<Route, Vec<SocketAddr>>,
}

impl Table {
    /// The connection for a datagram.
    pub(crate) fn find(&self, from: SocketAddr, bytes: &[u8]) -> Option<Route> {
        if is_stun(bytes) {
            // By name, so that an address that was somebody else's before leads to its new user.
            if let Some(user) = stun_user(bytes) {
                return self.users.get(user).copied();
            }
        }
        self.addresses.get(&from).map(|owner| owner.route)
    }

    /// Whether an address has proved to be a connection's peer's.
    pub(crate) fn leads(&self, from: SocketAddr, route: Route) -> bool {
        self.addresses
            .get(&from)
            .is_some_and(|owner| owner.route == route)
    }

    fn acknowledge(&mut self, address: SocketAddr, route: Route, now: Instant) {
        if let Some(owner) = self.addresses.get(&address).copied()
            && owner.route != route
        {
            if now.saturating_duration_since(owner.checked) < KEPT {
                metrics::counter!("relay_addresses_disputed_total").increment(1);
                return;
            }
            if let Some(others) = self.of_route.get_mut(&owner.route) {
                others.retain(|other| *other != address);
            }
        }
        let checked = now;
        self.addresses.insert(address, Owner { route, checked });
        let own = self.of_route.entry(route).or_default();
        own.retain(|other| *other != address);
        own.push(address);
        if own.len() > MOST_ADDRESSES {
            let oldest = own.remove(0);
            self.addresses.remove(&oldest);
        }
    }

    fn forget(&mut self, gone: impl Fn(&Route) -> bool) {
        self.users.retain(|_, route| !gone(route));
        self.addresses.retain(|_, owner| !gone(&owner.route));
        self.of_route.retain(|route, _| !gone(route));
    }
}

/// The table, shared by the readers and the rooms' threads.
#[derive(Debug, Default)]
pub(crate) struct Routes(RwLock<Table>);

impl Routes {
    /// The table, for as many look-ups as there are datagrams.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Table)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// A user name leads to a connection.
    pub(crate) fn add_user(&self, user: String, route: Route) {
        self.change(|table| {
            table.users.insert(user, route);
        });
    }

    /// A user name leads nowhere any more; nor do the addresses, when it was the connection's last.
    pub(crate) fn remove_user(&self, user: &str) {
        self.change(|table| {
            if let Some(route) = table.users.remove(user)
                && !table.users.values().any(|other| *other == route)
            {
                for address in table.of_route.remove(&route).unwrap_or_default() {
                    table.addresses.remove(&address);
                }
            }
        });
    }

    /// A connection has accepted a check from an address.
    pub(crate) fn acknowledge(&self, address: SocketAddr, route: Route, now: Instant) {
        self.change(|table| table.acknowledge(address, route, now));
    }

    /// Nothing leads to a room any more.
    pub(crate) fn remove_room(&self, shard: usize, room: u64) {
        self.change(|table| table.forget(|route| route.shard == shard && route.room == room));
    }
}

const STUN_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const STUN_USERNAME: u16 = 0x0006;

fn is_stun(bytes: &[u8]) -> bool {
    bytes.len() >= 20 && bytes[0] < 4 && bytes[4..8] == STUN_COOKIE
}

/// Whether it is a check, or the answer that accepts one (RFC 8489 §5: method binding, class request or success).
///
/// A connection sends either only to where a check with its password came from. The check counts as well, because the
/// stack accepts a peer that nominates at once, as Firefox does with a lite agent, only after a check of its own; and
/// the answer to that one names no user.
pub(crate) fn acknowledges(bytes: &[u8]) -> bool {
    is_stun(bytes) && matches!(bytes[..2], [0x00 | 0x01, 0x01])
}

/// The receiver's part of `USERNAME` (RFC 8445 §7.2.2) in a binding request.
fn stun_user(bytes: &[u8]) -> Option<&str> {
    if bytes[..2] != [0x00, 0x01] {
        return None;
    }
    let mut rest = bytes.get(20..)?;
    while rest.len() >= 4 {
        let kind = u16::from_be_bytes([rest[0], rest[1]]);
        let length = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        let value = rest.get(4..4 + length)?;
        if kind == STUN_USERNAME {
            let user = value.split(|byte| *byte == b':').next()?;
            return std::str::from_utf8(user).ok();
        }
        rest = rest.get(4 + length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        forward::testing::origin,
        room::{ParticipantKey, Side},
    };

    /// A check that names a user.
    pub(crate) fn check(user: &str) -> Vec<u8> {
        let mut bytes = vec![0x00, 0x01, 0, 0];
        bytes.extend(STUN_COOKIE);
        bytes.extend([7; 12]);
        bytes.extend(STUN_USERNAME.to_be_bytes());
        bytes.extend(u16::try_from(user.len()).unwrap().to_be_bytes());
        bytes.extend(user.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn route(room: u64) -> Route {
        Route {
            shard: 0,
            room,
            connection: (ParticipantKey(1), Side::Publisher),
        }
    }

    #[test]
    fn a_check_leads_by_its_user_and_media_by_its_address() {
        let routes = Routes::default();
        let address: SocketAddr = "192.0.2.1:5".parse().unwrap();
        routes.add_user("abc".to_owned(), route(1));
        assert_eq!(
            routes.read().find(address, &check("abc:xyz")),
            Some(route(1))
        );
        assert_eq!(routes.read().find(address, &check("zzz:xyz")), None);
        assert_eq!(
            routes.read().find(address, &[0x80; 40]),
            None,
            "nobody's yet"
        );
        routes.acknowledge(address, route(1), origin());
        assert_eq!(routes.read().find(address, &[0x80; 40]), Some(route(1)));
        assert!(routes.read().leads(address, route(1)));
        routes.remove_user("abc");
        assert_eq!(routes.read().find(address, &[0x80; 40]), None);
    }

    fn media_from(routes: &Routes, address: SocketAddr) -> Option<Route> {
        routes.read().find(address, &[0x80; 40])
    }

    #[test]
    fn a_connection_has_few_addresses_and_keeps_those_that_it_checks_from() {
        let routes = Routes::default();
        routes.add_user("abc".to_owned(), route(1));
        let at = |port| SocketAddr::new([192, 0, 2, 1].into(), port);
        for port in 1..=10_000 {
            routes.acknowledge(at(port), route(1), origin());
            routes.acknowledge(at(60_000), route(1), origin());
        }
        assert_eq!(media_from(&routes, at(60_000)), Some(route(1)));
        assert_eq!(media_from(&routes, at(10_000)), Some(route(1)));
        assert_eq!(media_from(&routes, at(9_000)), None);
        assert_eq!(routes.read().addresses.len(), MOST_ADDRESSES);
        assert_eq!(routes.read().of_route[&route(1)].len(), MOST_ADDRESSES);
        routes.remove_user("abc");
        assert_eq!(routes.read().addresses.len(), 0);
        assert_eq!(routes.read().of_route.len(), 0);
    }

    #[test]
    fn whoever_writes_anothers_address_on_a_check_does_not_get_it() {
        let routes = Routes::default();
        let address: SocketAddr = "192.0.2.1:5".parse().unwrap();
        let at = |seconds| origin() + Duration::from_secs(seconds);
        routes.acknowledge(address, route(1), at(0));
        for second in 0..60 {
            if second % 5 == 0 {
                routes.acknowledge(address, route(1), at(second));
            }
            routes.acknowledge(address, route(2), at(second));
            assert_eq!(media_from(&routes, address), Some(route(1)));
        }
        // Whoever has gone leaves it to the next.
        routes.acknowledge(address, route(2), at(80));
        assert_eq!(media_from(&routes, address), Some(route(2)));
        routes.acknowledge(address, route(1), at(100));
        assert_eq!(media_from(&routes, address), Some(route(1)));
    }

    #[test]
    fn nothing_leads_to_a_room_that_has_ended() {
        let routes = Routes::default();
        let [one, other] = ["192.0.2.1:5", "192.0.2.1:6"].map(|at| at.parse().unwrap());
        for (user, address, room) in [("abc", one, 1), ("xyz", other, 2)] {
            routes.add_user(user.to_owned(), route(room));
            routes.acknowledge(address, route(room), origin());
        }
        routes.remove_room(0, 1);
        assert_eq!(media_from(&routes, one), None);
        assert_eq!(routes.read().find(one, &check("abc:x")), None);
        assert_eq!(media_from(&routes, other), Some(route(2)));
        assert_eq!(routes.read().find(one, &check("xyz:x")), Some(route(2)));
    }

    #[test]
    fn a_check_and_its_acceptance_acknowledge_an_address_and_nothing_else_does() {
        let mut message = check("abc:xyz");
        assert!(acknowledges(&message));
        for (kind, expected) in [
            ([0x01, 0x01], true),
            ([0x01, 0x11], false),
            ([0x00, 0x11], false),
            ([0x00, 0x03], false),
        ] {
            message[..2].copy_from_slice(&kind);
            assert_eq!(acknowledges(&message), expected, "{kind:x?}");
        }
        assert!(!acknowledges(&[0x80; 40]));
    }

    #[test]
    fn broken_checks_name_nobody() {
        let user = "abc:xyz";
        let whole = check(user);
        // Only the padding at the end may be missing.
        for length in 0..20 + 4 + user.len() {
            let cut = &whole[..length];
            if is_stun(cut) {
                assert_eq!(stun_user(cut), None, "{length} bytes");
            }
        }
    }
}
