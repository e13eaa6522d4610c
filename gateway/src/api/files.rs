//! `POST /visits/{id}/files`, `GET /visits/{id}/files/{message}`: files, both ways.

use std::sync::Arc;

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{FromRequest, Multipart, Path, Request, State, multipart::MultipartError},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bridge::input::Refusal;
use bytes::BytesMut;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    Api,
    messages::{client_id, conversation_problem},
    model::Message,
};
use crate::{
    extract::{Client, Seat},
    headers::POLICY_FILE,
    media::{Media, clean_name, content_disposition},
    port::{Download, HouseError, Upload},
    problem::{Fault, Kind, Problem, ProblemDetails},
};

/// Largest file, in bytes.
const FILE: usize = 10 * 1024 * 1024;

/// Largest body: a file and the form around it.
pub(super) const BODY: usize = 11 * 1024 * 1024;

/// A form with a file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form; it is read part by part")]
pub(crate) struct FileForm {
    /// The page's own id of the message: sent again, it gives the same message.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    client_id: String,
    /// PDF, JPEG, PNG or WebP of at most 10 MB. Its first bytes tell the type.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// The form as it arrived.
#[derive(Default)]
struct Parts {
    client_id: Option<String>,
    file: Option<(String, Bytes)>,
}

/// The guest sends a file.
#[utoipa::path(
    post,
    path = "/visits/{id}/files",
    operation_id = "send_file",
    tag = "conversation",
    params(("id" = String, Path, description = "The visit")),
    request_body(content = FileForm, content_type = "multipart/form-data"),
    responses(
        (status = 202, description = "On its way", body = Message),
        (status = 413, description = "Larger than 10 MB", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = 415, description = "Not a PDF, JPEG, PNG or WebP", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn send(
    State(api): State<Arc<Api>>,
    Client(address): Client,
    seat: Seat,
    request: Request,
) -> Result<(StatusCode, Json<Message>), Problem> {
    let key = (seat.guest.clone(), seat.visit.clone());
    api.limiter.file(&address, &key)?;
    let _place = api
        .uploads
        .try_acquire()
        .map_err(|_| Problem::uploads_busy())?;
    // Strangers' visits are refused before the body is read.
    let house = &api.gateway.house;
    house
        .visit(&seat.guest, &seat.visit)
        .await
        .map_err(|error| conversation_problem("send_file", &error))?;
    let form = Multipart::from_request(request, &())
        .await
        .map_err(|_| Kind::UnsupportedType)?;
    let parts = read(form).await?;
    let mut faults = Vec::new();
    let id =
        client_id(parts.client_id.as_deref()).map_err(|fault| faults.push(("client_id", fault)));
    if parts
        .file
        .as_ref()
        .is_none_or(|(_, bytes)| bytes.is_empty())
    {
        faults.push(("file", Fault::Missing));
    }
    let (Ok(id), Some((name, bytes)), true) = (id, parts.file, faults.is_empty()) else {
        return Err(Problem::fields(faults));
    };
    let media = Media::sniff(&bytes).ok_or(Kind::FileType)?;
    let upload = Upload {
        name: clean_name(&name, media),
        media_type: media.media_type().to_owned(),
        bytes,
    };
    let view = house
        .send_file(&seat.guest, &seat.visit, &id, upload)
        .await
        .map_err(|error| conversation_problem("send_file", &error))?;
    Ok((StatusCode::ACCEPTED, Json(Message::new(&seat.visit, view))))
}

/// Reads the form part by part. Of a part that comes twice the last one counts.
async fn read(mut form: Multipart) -> Result<Parts, Problem> {
    let mut parts = Parts::default();
    while let Some(mut field) = form.next_field().await.map_err(broken)? {
        match field.name() {
            Some("client_id") => parts.client_id = Some(field.text().await.map_err(broken)?),
            Some("file") => {
                let name = field.file_name().unwrap_or_default().to_owned();
                let mut bytes = BytesMut::new();
                while let Some(chunk) = field.chunk().await.map_err(broken)? {
                    if bytes.len() + chunk.len() > FILE {
                        return Err(Kind::FileTooLarge.into());
                    }
                    bytes.extend_from_slice(&chunk);
                }
                parts.file = Some((name, bytes.freeze()));
            }
            _ => {}
        }
    }
    Ok(parts)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn broken(error: MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Kind::FileTooLarge.into()
    } else {
        Kind::MalformedForm.into()
    }
}

#[derive(Deserialize)]
pub(super) struct FilePath {
    message: String,
}

/// A file of the conversation: pictures to be shown, everything else to be saved.
#[utoipa::path(
    get,
    path = "/visits/{id}/files/{message}",
    operation_id = "get_file",
    tag = "conversation",
    params(
        ("id" = String, Path, description = "The visit"),
        ("message" = i64, Path, description = "The message's id"),
    ),
    responses(
        (status = 200, description = "The file", content_type = "application/octet-stream"),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    seat: Seat,
    Path(path): Path<FilePath>,
) -> Result<Response, Problem> {
    let message: i64 = path.message.parse().map_err(|_| Kind::UnknownFile)?;
    let house = &api.gateway.house;
    let download = house
        .file(&seat.guest, &seat.visit, message)
        .await
        .map_err(|error| show_problem(&error))?;
    Ok(answer(download))
}

/// A file of a type we do not know is only ever saved.
fn answer(download: Download) -> Response {
    let media = Media::of_type(&download.file.media_type);
    let media_type = media.map_or("application/octet-stream", Media::media_type);
    let inline = media.is_some_and(Media::is_picture);
    let disposition = content_disposition(&download.file.name, inline);
    let disposition = HeaderValue::from_str(&disposition)
        .unwrap_or_else(|_| HeaderValue::from_static("attachment"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CONTENT_DISPOSITION, disposition),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-store"),
        ),
        (header::CONTENT_SECURITY_POLICY, POLICY_FILE),
        (
            header::HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ),
    ];
    (headers, Body::from(download.bytes)).into_response()
}

fn show_problem(error: &HouseError) -> Problem {
    match error {
        HouseError::UnknownVisit | HouseError::Refused(Refusal::UnknownVisit) => {
            Kind::UnknownVisit.into()
        }
        HouseError::UnknownFile | HouseError::NoConversation => Kind::UnknownFile.into(),
        HouseError::HomeserverAway => Kind::HomeserverAway.into(),
        HouseError::Busy => Kind::Busy.into(),
        HouseError::Internal => Kind::Internal.into(),
        HouseError::UnknownOffice
        | HouseError::UnknownService
        | HouseError::Refused(
            Refusal::Closed { .. }
            | Refusal::Paused
            | Refusal::QueueFull
            | Refusal::AlreadyHere { .. }
            | Refusal::WrongState,
        )
        | HouseError::NotRatable
        | HouseError::CallNotReady
        | HouseError::CallsUnavailable => Problem::unexpected("file", error),
    }
}
