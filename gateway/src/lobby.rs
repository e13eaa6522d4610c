//! The lobby's event streams, made for many watchers: each office is rendered once per language and change,
//! and all watchers of a language share the same bytes. A watcher keeps only how far it has seen; one that
//! reads slowly gets the newest state of what it missed, not every step.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use axum::body::{Body, Bytes};
use bridge::ids::{Language, OfficeSlug};
use futures_util::stream;
use serde::Serialize;
use texts::Catalogue;
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::{
    port::{Lobby, OfficeLive},
    sse,
    state::Gateway,
};

/// Renders one office's live state as HTML.
pub(crate) type Render = fn(&Catalogue, &Lobby, &OfficeLive, Language) -> String;

/// The lobby in one language, rendered.
#[derive(Debug, Default)]
struct Board {
    /// Rises with every change.
    version: u64,
    offices: Vec<Tile>,
}

/// One office, rendered.
#[derive(Debug)]
struct Tile {
    slug: OfficeSlug,
    html: String,
    /// The board's version at its last change.
    changed_at: u64,
    /// The event as it goes over the line.
    event: Bytes,
}

/// The data of an `office` event.
#[derive(Serialize, ToSchema)]
pub(crate) struct OfficeEvent<'a> {
    /// Which office.
    #[schema(value_type = String)]
    slug: &'a OfficeSlug,
    /// Its live state, made by us from escaped texts.
    html: &'a str,
}

impl Board {
    /// The board after a change of the lobby; `None` if nothing of it is to be seen.
    fn next(
        &self,
        texts: &Catalogue,
        lobby: &Lobby,
        language: Language,
        render: Render,
    ) -> Option<Self> {
        let version = self.version + 1;
        let mut changed = self.offices.len() != lobby.offices.len();
        let offices = lobby
            .offices
            .iter()
            .map(|office| {
                let html = render(texts, lobby, office, language);
                let before = self.offices.iter().find(|tile| tile.slug == office.slug);
                match before {
                    Some(tile) if tile.html == html => Tile {
                        slug: tile.slug.clone(),
                        html,
                        changed_at: tile.changed_at,
                        event: tile.event.clone(),
                    },
                    Some(_) | None => {
                        changed = true;
                        let data = OfficeEvent {
                            slug: &office.slug,
                            html: &html,
                        };
                        Tile {
                            event: sse::event("office", &data),
                            slug: office.slug.clone(),
                            html,
                            changed_at: version,
                        }
                    }
                }
            })
            .collect();
        changed.then_some(Self { version, offices })
    }
}

/// The boards of all languages. A board is kept up to date only while somebody watches it.
pub(crate) struct Boards {
    gateway: Gateway,
    render: Render,
    live: Mutex<[Option<watch::Sender<Arc<Board>>>; Language::ALL.len()]>,
}

impl Boards {
    pub(crate) fn new(gateway: Gateway, render: Render) -> Arc<Self> {
        Arc::new(Self {
            gateway,
            render,
            live: Mutex::default(),
        })
    }

    /// The body of an event stream: all offices, then those that change. `guards` live as long as it does.
    pub(crate) fn stream<G: Send + 'static>(
        self: &Arc<Self>,
        language: Language,
        guards: G,
    ) -> Body {
        let watcher = Watcher {
            boards: self.watch(language),
            board: Arc::default(),
            seen: 0,
            place: 0,
            closing: self.gateway.shell.closing.clone(),
            _guards: guards,
        };
        Body::from_stream(stream::unfold(watcher, |mut watcher| async move {
            let bytes = watcher.next().await?;
            Some((Ok::<_, Infallible>(bytes), watcher))
        }))
    }

    fn watch(self: &Arc<Self>, language: Language) -> watch::Receiver<Arc<Board>> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = &mut live[language as usize];
        if let Some(sender) = slot {
            return sender.subscribe();
        }
        let mut lobby = self.gateway.house.lobby();
        let seen = lobby.borrow_and_update().clone();
        let first = Board::default()
            .next(&self.gateway.texts, &seen, language, self.render)
            .unwrap_or_default();
        let (sender, receiver) = watch::channel(Arc::new(first));
        *slot = Some(sender.clone());
        tokio::spawn(Arc::clone(self).keep(language, lobby, sender));
        receiver
    }

    /// Keeps one language's board until nobody watches it or the house is gone.
    async fn keep(
        self: Arc<Self>,
        language: Language,
        mut lobby: watch::Receiver<Arc<Lobby>>,
        sender: watch::Sender<Arc<Board>>,
    ) {
        loop {
            let house_lives = tokio::select! {
                () = sender.closed() => true,
                changed = lobby.changed() => changed.is_ok(),
            };
            if !house_lives || sender.is_closed() {
                let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
                // Somebody may have come between the look and the lock.
                if house_lives && !sender.is_closed() {
                    continue;
                }
                live[language as usize] = None;
                return;
            }
            let seen = lobby.borrow_and_update().clone();
            let next = sender
                .borrow()
                .next(&self.gateway.texts, &seen, language, self.render);
            if let Some(next) = next {
                sender.send_replace(Arc::new(next));
            }
        }
    }
}

/// One connection.
struct Watcher<G> {
    boards: watch::Receiver<Arc<Board>>,
    /// The board being sent.
    board: Arc<Board>,
    /// Versions up to this one have been sent.
    seen: u64,
    /// How many tiles of `board` have been looked at.
    place: usize,
    closing: watch::Receiver<bool>,
    _guards: G,
}

impl<G> Watcher<G> {
    /// The next bytes to send; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            while let Some(tile) = self.board.offices.get(self.place) {
                self.place += 1;
                if tile.changed_at > self.seen {
                    return Some(tile.event.clone());
                }
            }
            self.seen = self.board.version;
            let newest = Arc::clone(&self.boards.borrow_and_update());
            if newest.version == self.seen {
                tokio::select! {
                    changed = self.boards.changed() => changed.ok()?,
                    () = sse::closed(&mut self.closing) => return None,
                    () = tokio::time::sleep(sse::KEEP_ALIVE) => return Some(sse::COMMENT),
                }
            } else {
                self.board = newest;
                self.place = 0;
            }
        }
    }
}
