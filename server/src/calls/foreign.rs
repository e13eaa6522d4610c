//! Other homeservers' relays.

use appservice::{
    client::OpenIdToken,
    rtc::{DEVICE, SLOT},
};
use bridge::ids::MatrixUser;
use reqwest::StatusCode;
use serde_json::json;
use url::Url;

use crate::outward::{Outward, OutwardError};

/// Longer tokens and addresses are not passed on.
const LONGEST: usize = 8 * 1024;

/// A token for another homeserver's relay, by the ghost's own proof: the newer way, else the older one.
pub(super) async fn token(
    outward: &Outward,
    service: &str,
    room: &str,
    ghost: &MatrixUser,
    openid: &OpenIdToken,
) -> Result<(String, String), OutwardError> {
    let base: Url = format!("{service}/")
        .parse()
        .map_err(|_| OutwardError::Forbidden)?;
    let at = |path| base.join(path).map_err(|_| OutwardError::Forbidden);
    let proof = json!({
        "access_token": openid.access_token,
        "token_type": openid.token_type,
        "matrix_server_name": openid.matrix_server_name,
        "expires_in": openid.expires_in,
    });
    let newer = json!({
        "room_id": room,
        "slot_id": SLOT,
        "openid_token": proof,
        "member": {
            "id": appservice::rtc::state_key(ghost),
            "claimed_user_id": ghost.as_str(),
            "claimed_device_id": DEVICE,
        },
    });
    let mut said = outward.post(at("get_token")?, &newer).await?;
    if said.status == StatusCode::NOT_FOUND {
        let older = json!({ "room": room, "openid_token": proof, "device_id": DEVICE });
        said = outward.post(at("sfu/get")?, &older).await?;
    }
    if !said.status.is_success() {
        return Err(OutwardError::Refused(said.status.as_u16()));
    }
    let text = |field: &str| {
        said.body[field]
            .as_str()
            .filter(|text| text.len() <= LONGEST)
            .map(str::to_owned)
            .ok_or(OutwardError::Malformed)
    };
    let (url, jwt) = (text("url")?, text("jwt")?);
    let scheme = Url::parse(&url).map_err(|_| OutwardError::Malformed)?;
    if matches!(scheme.scheme(), "wss" | "https") || outward.is_allowed_literal(&scheme) {
        Ok((url, jwt))
    } else {
        Err(OutwardError::Malformed)
    }
}
