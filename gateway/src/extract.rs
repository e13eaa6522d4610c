//! What handlers take from a request.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use axum::{
    Json,
    extract::{
        ConnectInfo, FromRequest, FromRequestParts, Path, Query, Request, rejection::JsonRejection,
    },
    http::{header, request::Parts},
};
use bridge::ids::{GuestId, Language, OfficeSlug, VisitId};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    address::{client_address, limit_key},
    api::Api,
    guest::Secret,
    language,
    problem::{Kind, Problem},
};

/// The key of the client's address for limits.
pub(crate) struct Client(pub(crate) IpAddr);

impl FromRequestParts<Arc<Api>> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Infallible> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            // Without the peer's address (a misuse of the router) all share one limit.
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| {
                peer.ip()
            });
        let config = &api.gateway.config;
        let client = client_address(
            peer,
            &parts.headers,
            &config.trusted_proxies,
            config.proxy_header,
        );
        Ok(Self(limit_key(client)))
    }
}

/// The browser's secret, if it has one.
pub(crate) struct Browser(pub(crate) Option<Secret>);

impl Browser {
    /// The guest; whoever has no cookie has no visit.
    pub(crate) fn guest(&self) -> Option<GuestId> {
        self.0.as_ref().map(Secret::guest)
    }
}

impl FromRequestParts<Arc<Api>> for Browser {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Infallible> {
        Ok(Self(Secret::of_headers(
            &parts.headers,
            &api.gateway.config,
        )))
    }
}

/// The visit in the path and the guest who asks for it. Whether they belong together the house decides; a
/// request without a cookie, or with an id that no visit has, is answered like one for a stranger's visit.
pub(crate) struct Seat {
    pub(crate) guest: GuestId,
    pub(crate) visit: VisitId,
}

#[derive(Deserialize)]
struct VisitPath {
    id: String,
}

impl FromRequestParts<Arc<Api>> for Seat {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let unknown = || Problem::from(Kind::UnknownVisit);
        let Path(path) = Path::<VisitPath>::from_request_parts(parts, api)
            .await
            .map_err(|_| unknown())?;
        let visit = path.id.parse().map_err(|_| unknown())?;
        let secret = Secret::of_headers(&parts.headers, &api.gateway.config);
        let guest = secret.ok_or_else(unknown)?.guest();
        Ok(Self { guest, visit })
    }
}

/// The office in the path.
pub(crate) struct OfficePath(pub(crate) OfficeSlug);

#[derive(Deserialize)]
struct SlugPath {
    slug: String,
}

impl FromRequestParts<Arc<Api>> for OfficePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let unknown = || Problem::from(Kind::UnknownOffice);
        let Path(path) = Path::<SlugPath>::from_request_parts(parts, api)
            .await
            .map_err(|_| unknown())?;
        path.slug.parse().map(Self).map_err(|_| unknown())
    }
}

/// The language to answer in: `?lang=`, else what the browser prefers, else the city's first.
pub(crate) struct Wished(pub(crate) Language);

#[derive(Deserialize)]
struct LanguageQuery {
    lang: Option<String>,
}

impl FromRequestParts<Arc<Api>> for Wished {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let ApiQuery(query) = ApiQuery::<LanguageQuery>::from_request_parts(parts, api).await?;
        match query.lang {
            Some(code) => Language::from_str(&code)
                .map(Self)
                .map_err(|_| Kind::InvalidQuery.into()),
            None => Ok(Self(
                language::of_headers(&parts.headers).unwrap_or_else(|| api.first_language()),
            )),
        }
    }
}

/// Parameters in the address.
pub(crate) struct ApiQuery<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Api>> for ApiQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        Query::from_request_parts(parts, api)
            .await
            .map(|Query(query)| Self(query))
            .map_err(|_| Kind::InvalidQuery.into())
    }
}

/// A JSON body. The reader's own words are not passed on: they would repeat what was written.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, Problem> {
        let read = <Json<T> as FromRequest<_>>::from_request(request, api).await;
        read.map(|Json(body)| Self(body)).map_err(|rejection| {
            let kind = match &rejection {
                JsonRejection::MissingJsonContentType(_) => Kind::UnsupportedType,
                JsonRejection::JsonSyntaxError(_) => Kind::MalformedJson,
                JsonRejection::JsonDataError(_) => Kind::InvalidFields,
                other if other.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE => {
                    Kind::TooLarge
                }
                _ => Kind::BadRequest,
            };
            kind.into()
        })
    }
}

/// No body is needed; one that comes along must call itself JSON, which no form of another site can.
pub(crate) struct NoBody;

impl<S: Send + Sync> FromRequestParts<S> for NoBody {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(header::CONTENT_TYPE) else {
            return Ok(Self);
        };
        let essence = value.to_str().unwrap_or_default().split(';').next();
        if essence.is_some_and(|text| text.trim().eq_ignore_ascii_case("application/json")) {
            Ok(Self)
        } else {
            Err(Kind::UnsupportedType.into())
        }
    }
}
