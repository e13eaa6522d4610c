//! Ghosts are made in advance, and each stands for one guest.

use anyhow::{Result, ensure};
use blackbox::{World, eventually};

const READY: &str = "user_id FROM ghost_stock WHERE ready = 1";

#[tokio::test]
async fn a_ghost_of_the_stock_stands_for_one_guest() -> Result<()> {
    let mut world = World::start().await?;
    let database = world.database();
    let full = || async {
        let ready = database.texts(READY).await?;
        Ok((ready.len() == 20).then_some(ready))
    };
    let stock = eventually("a full stock", full).await?;

    let (anna, bernd) = (world.guest()?, world.guest()?);
    anna.knock("gewerbe", "Kiosk").await?;
    bernd.knock("gewerbe", "Imbiss").await?;
    world.settled().await?;
    let ghosts = database
        .texts("ghost FROM visit_matrix ORDER BY ghost")
        .await?;
    ensure!(ghosts.len() == 2 && ghosts[0] != ghosts[1], "{ghosts:?}");
    ensure!(ghosts.iter().all(|ghost| stock.contains(ghost)));
    // The stock may have been filled up since: what was taken has left it, and the rest has not.
    let left = database.texts(READY).await?;
    ensure!(
        stock
            .iter()
            .all(|ghost| left.contains(ghost) != ghosts.contains(ghost)),
        "{left:?}"
    );

    // A backup from before the knocks is put back: its stock has ghosts that stand for somebody already.
    world.vorzimmer.stop().await?;
    database.put_into_stock(&ghosts).await?;
    world.vorzimmer.resume().await?;
    eventually("the used ones to be found out", || async {
        let stock = database.texts("user_id FROM ghost_stock").await?;
        let unready = database.count("ghost_stock WHERE ready = 0").await?;
        Ok((unready == 0 && !stock.iter().any(|ghost| ghosts.contains(ghost))).then_some(()))
    })
    .await?;
    world.settled().await
}
