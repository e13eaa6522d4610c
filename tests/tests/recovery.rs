//! Synapse could not reach the program for a while and waits longer and longer between its attempts: once they reach
//! each other again, it does not wait any more.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use blackbox::{Client, Gate, World, WorldOptions, eventually};
use tokio::time::Instant;

/// After so many deliveries in vain (at once, then after 2, 4, 8 and 16 seconds) Synapse waits for [`NEXT`].
const IN_VAIN: usize = 5;
const NEXT: Duration = Duration::from_secs(32);

async fn world() -> Result<(World, Client, String)> {
    let world = World::start_with(WorldOptions {
        gated: true,
        ..WorldOptions::default()
    })
    .await?;
    let clerk = world.clerk("anna")?.clone();
    let door = world.door("gewerbe", &clerk).await?;
    Ok((world, clerk, door))
}

fn gate(world: &World) -> Result<&Gate> {
    world.gate.as_ref().context("a gate")
}

/// Waits until Synapse has given up for a long while; since when.
async fn given_up(world: &World) -> Result<Instant> {
    let gate = gate(world)?;
    let tried = async |times| {
        eventually("Synapse to have tried in vain", || async {
            Ok((gate.turned_away() >= times).then_some(Instant::now()))
        })
        .await
    };
    // A first attempt on a connection that was open before is not counted: then the last one comes 32 seconds later.
    tried(IN_VAIN - 1).await?;
    tried(IN_VAIN).await
}

async fn comes_on_duty_before_the_next_attempt(world: &World, since: Instant) -> Result<()> {
    let guest = world.guest()?;
    eventually("the clerk to be on duty", || async {
        Ok((guest.office("gewerbe").await?["status"] == "free").then_some(()))
    })
    .await?;
    ensure!(
        since.elapsed() < NEXT,
        "Synapse came by itself, after {:?}",
        since.elapsed()
    );
    Ok(())
}

#[tokio::test]
async fn the_way_was_blocked() -> Result<()> {
    let (world, clerk, door) = world().await?;
    gate(&world)?.close();
    clerk.send_text(&door, "!dienst an").await?;
    let since = given_up(&world).await?;
    gate(&world)?.open();
    comes_on_duty_before_the_next_attempt(&world, since).await
}

#[tokio::test]
async fn the_program_was_down() -> Result<()> {
    let (mut world, clerk, door) = world().await?;
    // What dies would otherwise take a delivery with it that nobody counts.
    gate(&world)?.close();
    world.vorzimmer.kill()?;
    clerk.send_text(&door, "!dienst an").await?;
    let since = given_up(&world).await?;
    gate(&world)?.open();
    world.vorzimmer.resume().await?;
    comes_on_duty_before_the_next_attempt(&world, since).await
}
