//! Which machines serve a homeserver's federation, as SRV records say (RFC 2782; Server-Server API, "Resolving server
//! names", steps 3.3, 3.4, 4 and 5).

use std::time::Duration;

use hickory_resolver::{
    TokioResolver,
    config::ResolverOpts,
    proto::rr::{Name, RData, RecordType, rdata::SRV},
};
use tracing::{debug, warn};

/// Under which names, in this order. The second is the deprecated one.
const NAMES: [&str; 2] = ["_matrix-fed._tcp", "_matrix._tcp"];
/// How many machines are tried.
const MACHINES: usize = 3;
/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// A machine that serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Machine {
    /// Its name, as the DNS writes it, without the dot at the end.
    pub(super) name: String,
    pub(super) port: u16,
}

/// Asks the machine's own resolvers. `None` when there are none: then there are no SRV records.
pub(super) struct Services(Option<TokioResolver>);

impl Services {
    /// The resolvers that the operating system names.
    pub(super) fn of_machine() -> Self {
        let resolver = TokioResolver::builder_tokio().and_then(|mut builder| {
            patient(builder.options_mut());
            builder.build()
        });
        match resolver {
            Ok(resolver) => Self(Some(resolver)),
            Err(fault) => {
                warn!("SRV records of other homeservers cannot be read: {fault}");
                Self(None)
            }
        }
    }

    /// The machines to try, first things first; none where no record says so.
    pub(super) async fn machines(&self, host: &str) -> Vec<Machine> {
        let Some(resolver) = &self.0 else {
            return Vec::new();
        };
        for service in NAMES {
            // With the dot at the end no domain of our own is tried behind it.
            let Ok(name) = Name::from_ascii(format!("{service}.{host}.")) else {
                return Vec::new();
            };
            match resolver.lookup(name, RecordType::SRV).await {
                Ok(found) => {
                    let records = found.answers().iter().filter_map(|record| {
                        if let RData::SRV(record) = &record.data {
                            Some(record.clone())
                        } else {
                            None
                        }
                    });
                    let machines = ranked(records.collect());
                    if !machines.is_empty() {
                        return machines;
                    }
                }
                Err(fault) => debug!("no SRV record: {fault}"),
            }
        }
        Vec::new()
    }
}

fn patient(options: &mut ResolverOpts) {
    options.timeout = PATIENCE;
    options.attempts = 1;
}

/// The lowest priority first, and of the same priority the heaviest: we ask too rarely for a share to matter. The
/// target "." says that nobody serves.
fn ranked(mut records: Vec<SRV>) -> Vec<Machine> {
    records.sort_by_key(|record| (record.priority, std::cmp::Reverse(record.weight)));
    records
        .into_iter()
        .filter(|record| !record.target.is_root() && record.port != 0)
        .take(MACHINES)
        .map(|record| Machine {
            name: record.target.to_ascii().trim_end_matches('.').to_owned(),
            port: record.port,
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use hickory_resolver::{
        config::{ConnectionConfig, NameServerConfig, ResolverConfig},
        net::runtime::TokioRuntimeProvider,
        proto::{
            op::{Message, ResponseCode},
            rr::Record,
        },
    };
    use tokio::net::UdpSocket;

    use super::*;

    /// A name server with these records (owner, priority, weight, port, target) and no others.
    pub(in crate::calls) async fn served(
        records: &'static [(&'static str, u16, u16, u16, &'static str)],
    ) -> Services {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        tokio::spawn(async move {
            let mut buffer = [0; 1500];
            loop {
                let (len, from) = socket.recv_from(&mut buffer).await.unwrap();
                let asked = Message::from_vec(&buffer[..len]).unwrap();
                let query = asked.queries[0].clone();
                let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
                for (owner, priority, weight, port, target) in records {
                    let owner = Name::from_ascii(owner).unwrap();
                    if owner == *query.name() && query.query_type() == RecordType::SRV {
                        let target = Name::from_ascii(target).unwrap();
                        let record = SRV::new(*priority, *weight, *port, target);
                        answer.add_answer(Record::from_rdata(owner, 60, RData::SRV(record)));
                    }
                }
                if answer.answers.is_empty() {
                    answer.metadata.response_code = ResponseCode::NXDomain;
                }
                answer.add_query(query);
                socket
                    .send_to(&answer.to_vec().unwrap(), from)
                    .await
                    .unwrap();
            }
        });
        let mut connection = ConnectionConfig::udp();
        connection.port = port;
        let server = NameServerConfig::new(IpAddr::V4(Ipv4Addr::LOCALHOST), true, vec![connection]);
        let config = ResolverConfig::from_parts(None, vec![], vec![server]);
        let resolver =
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).build();
        Services(Some(resolver.unwrap()))
    }

    fn machine(name: &str, port: u16) -> Machine {
        Machine {
            name: name.to_owned(),
            port,
        }
    }

    #[tokio::test]
    async fn the_records_name_machines_in_their_order() {
        let services = served(&[
            (
                "_matrix-fed._tcp.city.example.",
                20,
                0,
                8450,
                "third.example.",
            ),
            (
                "_matrix-fed._tcp.city.example.",
                10,
                5,
                8449,
                "second.example.",
            ),
            (
                "_matrix-fed._tcp.city.example.",
                10,
                50,
                443,
                "first.example.",
            ),
            (
                "_matrix-fed._tcp.city.example.",
                30,
                0,
                443,
                "fourth.example.",
            ),
            ("_matrix._tcp.city.example.", 0, 0, 8448, "older.example."),
            ("_matrix._tcp.old.example.", 0, 0, 8448, "older.example."),
            ("_matrix-fed._tcp.none.example.", 0, 0, 0, "."),
        ])
        .await;
        let expected = [
            machine("first.example", 443),
            machine("second.example", 8449),
            machine("third.example", 8450),
        ];
        assert_eq!(services.machines("city.example").await, expected);
        let older = [machine("older.example", 8448)];
        assert_eq!(services.machines("old.example").await, older);
        assert_eq!(services.machines("none.example").await, []);
        assert_eq!(services.machines("unknown.example").await, []);
        assert_eq!(services.machines("not a name..").await, []);
    }
}
