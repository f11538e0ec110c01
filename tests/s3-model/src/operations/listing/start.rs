//! Where a page begins.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::protocol::error::S3Error;
use crate::protocol::query::Query;

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    /// After this key.
    AfterKey(Vec<u8>),
    /// After every key with this common prefix.
    AfterPrefix(Vec<u8>),
}

impl Start {
    /// Returns the continuation token. It is opaque to clients and checked when it comes back.
    pub(super) fn token(&self) -> String {
        let (kind, text) = match self {
            Self::AfterKey(key) => (b'k', key),
            Self::AfterPrefix(prefix) => (b'p', prefix),
        };
        let mut raw = vec![b'1', kind];
        raw.extend_from_slice(text);
        URL_SAFE_NO_PAD.encode(raw)
    }

    pub(super) fn from_token(token: &str) -> Result<Self, S3Error> {
        let invalid = || {
            S3Error::invalid_argument(
                "continuation-token",
                token,
                "The continuation token provided is incorrect",
            )
        };
        let raw = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
        match raw.as_slice() {
            [b'1', b'k', key @ ..] => Ok(Self::AfterKey(key.to_vec())),
            [b'1', b'p', prefix @ ..] => Ok(Self::AfterPrefix(prefix.to_vec())),
            _ => Err(invalid()),
        }
    }

    pub(super) fn text(&self) -> &[u8] {
        match self {
            Self::AfterKey(text) | Self::AfterPrefix(text) => text,
        }
    }
}

/// Returns the key at which a listing starts, for the limits of its partition.
pub(crate) fn start_key(query: Query<'_>) -> Result<Vec<u8>, S3Error> {
    if let Some(token) = query.get("continuation-token")?
        && let Ok(start) = Start::from_token(&token)
    {
        return Ok(start.text().to_vec());
    }
    let prefix = query.text("prefix")?;
    let after = query.text("start-after")?;
    Ok(prefix.max(after).into_owned().into_bytes())
}
