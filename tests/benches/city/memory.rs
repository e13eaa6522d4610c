//! Memory of the idle server.

use std::time::Duration;

use anyhow::Result;
use blackbox::World;
use tokio::time::sleep;

use crate::{
    figures::{Samples, Table},
    machine::{self, Memory},
};

/// By then the rooms are made and everything is quiet.
const IDLE: Duration = Duration::from_secs(30);

pub(crate) async fn measure(runs: usize) -> Result<()> {
    machine::open("memory");
    let (mut rss, mut pss) = (Samples::default(), Samples::default());
    for _ in 0..runs {
        let mut world = World::start().await?;
        sleep(IDLE).await;
        let pid = world.vorzimmer.process().map_or(0, |process| process.id());
        let memory = Memory::of(pid)?;
        rss.push(memory.rss / 1024.0);
        pss.push(memory.pss / 1024.0);
    }
    let mut table = Table::new("The demo city, idle for 30 s", "MiB");
    table.line("RSS", &rss);
    table.line("PSS", &pss);
    table.print();
    machine::close();
    Ok(())
}
