//! Cores of their own for the generator and the server. Without, the system lets one of them wait now and then for some
//! milliseconds while the other works, and takes these milliseconds for the server's latency.

use std::path::Path;

use anyhow::{Context as _, Result};
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};
use xtask::relay::{Backend, Reach, RelayServer};

/// The calling thread.
const THIS: Pid = Pid::from_raw(0);

/// Which cores are whose. On a machine with a single core both have it.
#[derive(Debug)]
pub(crate) struct Cores {
    server: CpuSet,
    generator: CpuSet,
}

impl Cores {
    /// Divides the cores on which this thread may run: the last one is the generator's.
    pub(crate) fn divide() -> Result<Self> {
        let all = sched_getaffinity(THIS)?;
        let allowed: Vec<usize> = (0..CpuSet::count())
            .filter(|core| all.is_set(*core).unwrap_or_default())
            .collect();
        let (mut server, mut generator) = (all, all);
        if let [others @ .., last] = allowed.as_slice()
            && !others.is_empty()
        {
            server.unset(*last)?;
            for core in others {
                generator.unset(*core)?;
            }
        }
        Ok(Self { server, generator })
    }

    /// Starts a server on its cores, which writes its log into `dir`; from here on this thread is on the generator's.
    /// The server and its process's id, or `None` when there is no such server here.
    pub(crate) async fn start(
        &self,
        backend: Backend,
        dir: &Path,
    ) -> Result<Option<(RelayServer, u32)>> {
        // What a thread starts inherits its cores.
        sched_setaffinity(THIS, &self.server)?;
        let started = RelayServer::start(backend, Reach::Direct, dir).await;
        sched_setaffinity(THIS, &self.generator)?;
        let Some(server) = started? else {
            return Ok(None);
        };
        let id = server.process_id().context("the server has ended")?;
        Ok(Some((server, id)))
    }
}
