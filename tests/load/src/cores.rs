//! Cores of their own for the generator and the server. Without, the system lets one of them wait now and then for some
//! milliseconds while the other works, and takes these milliseconds for the server's latency.

use anyhow::Result;
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

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

    /// From here on this thread is on the generator's core.
    pub(crate) fn take_generators(&self) -> Result<()> {
        Ok(sched_setaffinity(THIS, &self.generator)?)
    }

    /// From here on this thread, and what it starts, is on the server's cores.
    pub(crate) fn take_servers(&self) -> Result<()> {
        Ok(sched_setaffinity(THIS, &self.server)?)
    }
}
