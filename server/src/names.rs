//! Display names of clerks, asked once and kept for a while.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use appservice::Matrix;
use bridge::ids::MatrixUser;
use jiff::{SignedDuration, Timestamp};

use crate::shell;

/// A changed name is seen after this time.
const KEPT: SignedDuration = SignedDuration::from_mins(10);
/// Whoever asks for a name wants to show something else: the homeserver has this long to answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// A homeserver that did not answer is not asked again before this time has passed.
const ASKED_AGAIN: SignedDuration = SignedDuration::from_secs(15);
/// More names than any city has clerks; then the memory starts anew.
const MOST: usize = 10_000;

/// Asks the homeserver for display names.
pub(crate) struct Names {
    matrix: Matrix,
    /// Each name, and until when it counts.
    known: Mutex<HashMap<MatrixUser, (String, Timestamp)>>,
}

impl Names {
    pub(crate) fn new(matrix: Matrix) -> Self {
        Self {
            matrix,
            known: Mutex::default(),
        }
    }

    /// The user's display name; the one known before, else the name part of the user id, when there is none or
    /// nobody answers soon.
    pub(crate) async fn of(&self, user: &MatrixUser) -> String {
        let now = shell::now();
        let before = match self.lock().get(user) {
            Some((name, until)) if now < *until => return name.clone(),
            before => before.map(|(name, _)| name.clone()),
        };
        let localpart = || {
            let name = user.as_str()[1..].split(':').next();
            name.unwrap_or_default().to_owned()
        };
        let answer = tokio::time::timeout(PATIENCE, self.matrix.display_name(user)).await;
        let (name, kept) = match answer {
            Ok(Ok(answer)) => {
                let name = answer.as_deref().and_then(tidy);
                (name.unwrap_or_else(localpart), KEPT)
            }
            Ok(Err(_)) | Err(_) => (before.unwrap_or_else(localpart), ASKED_AGAIN),
        };
        let mut known = self.lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(user.clone(), (name.clone(), now + kept));
        name
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<MatrixUser, (String, Timestamp)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name as others have written it, made fit to be shown; `None` when nothing is left.
pub(crate) fn tidy(name: &str) -> Option<String> {
    let name: String = name.chars().filter(|&c| is_harmless(c)).take(80).collect();
    Some(name).filter(|name| !name.trim().is_empty())
}

/// Neither a control character nor one that turns the direction of what stands after it (UAX #9, section 2).
fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
