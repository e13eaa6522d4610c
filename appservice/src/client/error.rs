use std::time::Duration;

use serde::Deserialize;

/// Why a request had no success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    /// The homeserver cannot be reached, did not answer in time, or answered with 5xx.
    #[error("the homeserver is away: {detail}")]
    Away {
        /// What was seen, without address or content.
        detail: String,
    },
    /// 429.
    #[error("the homeserver asks to slow down")]
    RateLimited {
        /// `retry_after_ms` or `Retry-After`, if it said so.
        retry_after: Option<Duration>,
    },
    /// Another 4xx.
    #[error("the homeserver refused with {status} {errcode}: {error}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// `M_FORBIDDEN` and so on; empty when the answer was not Matrix's.
        errcode: String,
        /// The homeserver's words, at most 200 characters. They can name users: for `doctor`, not for logs.
        error: String,
    },
    /// The answer is not what the specification says.
    #[error("the homeserver's answer to {what} cannot be read")]
    Malformed {
        /// The endpoint.
        what: String,
    },
    /// The answer is longer than was asked for.
    #[error("the homeserver's answer is longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// An argument cannot be sent.
    #[error("not a valid {what}")]
    Invalid {
        /// What it should have been.
        what: &'static str,
    },
}

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// With the caller's own back-off.
    Later,
    /// Not before this time has passed.
    After(Duration),
}

impl MatrixError {
    /// When to try the same again; `None` when that cannot help.
    ///
    /// A refused token (401) is worth retrying: the operator repairs it, and no job may be lost by then.
    #[must_use]
    pub fn retry(&self) -> Option<Retry> {
        match self {
            Self::Away { .. }
            | Self::RateLimited { retry_after: None }
            | Self::Malformed { .. }
            | Self::Refused { status: 401, .. } => Some(Retry::Later),
            Self::RateLimited {
                retry_after: Some(wait),
            } => Some(Retry::After(*wait)),
            Self::Refused { .. } | Self::TooLarge { .. } | Self::Invalid { .. } => None,
        }
    }

    /// Whether the homeserver refused with this error code.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        matches!(self, Self::Refused { errcode, .. } if errcode == code)
    }

    /// The error code for logs and metrics: never the homeserver's words.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Away { .. } => "away",
            Self::RateLimited { .. } => "rate_limited",
            Self::Refused { errcode, .. } if errcode.is_empty() => "refused",
            Self::Refused { errcode, .. } => errcode,
            Self::Malformed { .. } => "malformed",
            Self::TooLarge { .. } => "too_large",
            Self::Invalid { .. } => "invalid",
        }
    }

    /// Whether the homeserver says 403 or 404: not allowed, or nothing there.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                status: 403 | 404,
                ..
            }
        )
    }

    /// Whether the homeserver says 404.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// What an answer of 400 and above means. `retry_after` is the header's value in seconds.
    pub(crate) fn from_answer(status: u16, retry_after: Option<u64>, body: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Body {
            errcode: String,
            error: String,
            retry_after_ms: Option<u64>,
        }
        if status >= 500 {
            return Self::Away {
                detail: format!("status {status}"),
            };
        }
        let body: Body = serde_json::from_slice(body).unwrap_or_default();
        if status == 429 {
            return Self::RateLimited {
                retry_after: retry_after
                    .map(Duration::from_secs)
                    .or(body.retry_after_ms.map(Duration::from_millis)),
            };
        }
        Self::Refused {
            status,
            errcode: body.errcode.chars().take(64).collect(),
            error: body.error.chars().take(200).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_classified_by_what_helps() {
        let away = MatrixError::from_answer(502, None, b"<html>");
        assert_eq!(away.retry(), Some(Retry::Later));

        let slow = MatrixError::from_answer(
            429,
            None,
            br#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":1500}"#,
        );
        assert_eq!(
            slow.retry(),
            Some(Retry::After(Duration::from_millis(1500)))
        );
        let slow = MatrixError::from_answer(429, Some(3), b"");
        assert_eq!(slow.retry(), Some(Retry::After(Duration::from_secs(3))));

        let refused =
            MatrixError::from_answer(403, None, br#"{"errcode":"M_FORBIDDEN","error":"no"}"#);
        assert_eq!(refused.retry(), None);
        assert!(refused.is("M_FORBIDDEN"));

        let token = MatrixError::from_answer(401, None, br#"{"errcode":"M_UNKNOWN_TOKEN"}"#);
        assert_eq!(token.retry(), Some(Retry::Later));
    }

    #[test]
    fn a_refusal_without_matrix_words_is_still_a_refusal() {
        let refused = MatrixError::from_answer(404, None, b"<html>not here</html>");
        assert_eq!(refused.code(), "refused");
        assert!(refused.is_not_found());
    }
}
