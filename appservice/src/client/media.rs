//! Files. Downloads go through the authenticated endpoints only (specification 1.11).

use bytes::Bytes;
use ruma::{
    MxcUri, OwnedMxcUri,
    api::client::{authenticated_media::get_content, media::create_content},
};

use super::{As, Matrix, MatrixError};

/// A downloaded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// All of it.
    pub bytes: Bytes,
    /// The media type its uploader told; hostile.
    pub media_type: Option<String>,
}

impl Matrix {
    /// Stores a file. Doing it again stores it again: keep the address.
    pub async fn upload(
        &self,
        actor: As<'_>,
        bytes: &Bytes,
        media_type: &str,
        name: &str,
    ) -> Result<OwnedMxcUri, MatrixError> {
        let mut request = create_content::v3::Request::new(bytes.to_vec());
        request.content_type = Some(media_type.to_owned());
        request.filename = Some(name.to_owned());
        Ok(self.call(actor, request).await?.content_uri)
    }

    /// Reads a file of at most `max_bytes`; a longer one is [`MatrixError::TooLarge`].
    pub async fn download(&self, file: &MxcUri, max_bytes: usize) -> Result<Media, MatrixError> {
        let request =
            get_content::v1::Request::from_uri(file).map_err(|_| MatrixError::Invalid {
                what: "mxc address",
            })?;
        let answer = self.call_limited(As::Bot, request, max_bytes).await?;
        Ok(Media {
            bytes: answer.file.into(),
            media_type: answer.content_type,
        })
    }
}
