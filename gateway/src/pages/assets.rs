//! The built guest client: hashed names from Vite's manifest, and the files themselves.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Deserialize;
use tower::ServiceExt as _;
use tower_http::services::ServeDir;

use crate::{headers::POLICY_ASSET, state::Gateway};

/// Why the guest client cannot be served. Each says its cure.
#[derive(Debug, thiserror::Error)]
pub enum AssetsError {
    /// There is no manifest: the client has not been built.
    #[error(
        "the guest client is not at {}: {source}; run `npm ci && npm run build` in guest-web",
        path.display()
    )]
    NotBuilt {
        /// Where the manifest was looked for.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// The manifest is not one of Vite.
    #[error(
        "{} is not a Vite manifest: {source}; run `npm run build` in guest-web again",
        path.display()
    )]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong in it.
        source: serde_json::Error,
    },
    /// The manifest is of another version of the guest client.
    #[error("the built guest client has no {entry}; run `npm run build` in guest-web again")]
    MissingEntry {
        /// The source file whose build is missing.
        entry: &'static str,
    },
}

/// One entry of `.vite/manifest.json`, as far as pages need it
/// (<https://vite.dev/guide/backend-integration>).
#[derive(Debug, Deserialize)]
struct ManifestEntry {
    file: String,
    /// Keys of the entries that this one imports statically.
    #[serde(default)]
    imports: Vec<String>,
}

/// A script, and the modules it needs before it can run.
#[derive(Debug, Clone)]
pub(super) struct Module {
    pub(super) src: String,
    /// Without these hints the browser would find the modules one after the other.
    pub(super) preload: Vec<String>,
}

/// The scripts that pages load, by purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// Live state and search: lobby, embedding.
    Lobby,
    /// The knock form.
    Office,
    /// Waiting and conversation.
    Visit,
    /// A conversation that somebody comes along to.
    Beside,
    /// Booking an appointment.
    Book,
    /// A booking.
    Booking,
}

/// Addresses of the guest client's files.
#[derive(Debug, Clone)]
pub struct Assets {
    files: ServeDir,
    style: String,
    lobby: Module,
    office: Module,
    visit: Module,
    beside: Module,
    book: Module,
    booking: Module,
}

impl Assets {
    /// Reads the manifest in `dir`, the `dist` folder of the guest client.
    pub fn load(dir: &Path) -> Result<Self, AssetsError> {
        let path = dir.join(".vite/manifest.json");
        let text = std::fs::read_to_string(&path).map_err(|source| AssetsError::NotBuilt {
            path: path.clone(),
            source,
        })?;
        let manifest: BTreeMap<String, ManifestEntry> =
            serde_json::from_str(&text).map_err(|source| AssetsError::Manifest { path, source })?;
        let find = |entry: &'static str| {
            manifest
                .get(entry)
                .ok_or(AssetsError::MissingEntry { entry })
        };
        let module = |entry: &'static str| {
            find(entry).map(|built| Module {
                src: address(built),
                preload: imports(&manifest, built),
            })
        };
        Ok(Self {
            files: ServeDir::new(dir)
                .append_index_html_on_directories(false)
                .precompressed_br()
                .precompressed_gzip(),
            style: address(find("src/styles/site.scss")?),
            lobby: module("src/lobby.ts")?,
            office: module("src/office.ts")?,
            visit: module("src/visit.tsx")?,
            beside: module("src/beside.tsx")?,
            book: module("src/book.tsx")?,
            booking: module("src/booking.tsx")?,
        })
    }

    /// The address of the style sheet.
    #[must_use]
    pub fn style(&self) -> &str {
        &self.style
    }

    /// A script and what it needs.
    pub(super) fn module(&self, script: Script) -> &Module {
        match script {
            Script::Lobby => &self.lobby,
            Script::Office => &self.office,
            Script::Visit => &self.visit,
            Script::Beside => &self.beside,
            Script::Book => &self.book,
            Script::Booking => &self.booking,
        }
    }
}

fn address(built: &ManifestEntry) -> String {
    format!("/{}", built.file)
}

/// The addresses of everything that `entry` imports, directly or not, each once.
fn imports(manifest: &BTreeMap<String, ManifestEntry>, entry: &ManifestEntry) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<&String> = entry.imports.iter().collect();
    while let Some(key) = open.pop() {
        if let Some(built) = manifest.get(key)
            && !found.contains(&address(built))
        {
            found.push(address(built));
            open.extend(&built.imports);
        }
    }
    found
}

/// Answers a request for one of the built files, compressed if the browser can read that.
///
/// Names below `/assets/` carry a hash of the content, so those files never change.
pub(super) async fn serve(State(gateway): State<Gateway>, request: Request) -> Response {
    let hashed = request.uri().path().starts_with("/assets/");
    let Ok(mut response) = gateway.assets.files.clone().oneshot(request).await;
    // A hashed file may be kept; the news that a file is missing may not.
    let keep = match response.status() {
        StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED if hashed => {
            "public, max-age=31536000, immutable"
        }
        _ => "no-cache",
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY_ASSET);
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response.map(Body::new)
}
