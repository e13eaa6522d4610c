//! Who somebody is, asked at their homeserver.

use appservice::{Matrix, ServerName};
use bridge::ids::MatrixUser;
use gateway::port::{OpenId, TokenError};
use tracing::debug;

use super::{discovery, services::Services};
use crate::outward::{Outward, OutwardError, Said};

/// The user whose token this is. A homeserver speaks for its own users alone.
pub(super) async fn subject(
    matrix: &Matrix,
    outward: &Outward,
    services: &Services,
    openid: &OpenId,
) -> Result<MatrixUser, TokenError> {
    let server = ServerName::parse(&openid.server_name).map_err(|_| TokenError::Unproven)?;
    let user = if server.as_str() == matrix.server_name().as_str() {
        let subject = matrix.openid_subject(&openid.access_token).await;
        subject
            .map_err(|fault| {
                debug!(
                    "our homeserver does not say whose token it is: {}",
                    fault.code()
                );
                TokenError::Away
            })?
            .ok_or(TokenError::Unproven)?
    } else {
        abroad(outward, services, &server, &openid.access_token).await?
    };
    match user.as_str().split_once(':') {
        Some((_, home)) if home == server.as_str() => Ok(user),
        _ => Err(TokenError::Unproven),
    }
}

/// Whatever goes wrong at a stranger's homeserver, nothing is proven.
async fn abroad(
    outward: &Outward,
    services: &Services,
    server: &ServerName,
    token: &str,
) -> Result<MatrixUser, TokenError> {
    let said = userinfo(outward, services, server, token)
        .await
        .map_err(|fault| {
            debug!("a homeserver does not say whose token it is: {fault}");
            TokenError::Unproven
        })?;
    if !said.status.is_success() {
        return Err(TokenError::Unproven);
    }
    said.body["sub"]
        .as_str()
        .and_then(|user| user.parse().ok())
        .ok_or(TokenError::Unproven)
}

/// What the first machine says that answers at all.
async fn userinfo(
    outward: &Outward,
    services: &Services,
    server: &ServerName,
    token: &str,
) -> Result<Said, OutwardError> {
    let mut last = OutwardError::Away;
    for place in discovery::federation(outward, services, server).await? {
        let mut url = place.url;
        url.set_path("/_matrix/federation/v1/openid/userinfo");
        url.query_pairs_mut().append_pair("access_token", token);
        let said = match &place.machine {
            Some(machine) => outward.get_from(machine, url).await,
            None => outward.get(url).await,
        };
        match said {
            Ok(said) => return Ok(said),
            Err(fault) => last = fault,
        }
    }
    Err(last)
}
