//! The query string of a request.

use std::borrow::Cow;

use hyper::Uri;
use percent_encoding::percent_decode_str;

use super::error::S3Error;

/// A query string, decoded on demand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query<'a> {
    text: &'a str,
}

impl<'a> Query<'a> {
    pub(crate) fn new(uri: &'a Uri) -> Self {
        Self {
            text: uri.query().unwrap_or(""),
        }
    }

    fn pairs(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.text
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }

    /// Whether the parameter is present, with or without a value.
    pub(crate) fn has(self, name: &str) -> bool {
        self.pairs().any(|(found, _)| found == name)
    }

    /// Returns the decoded value of a parameter.
    pub(crate) fn get(self, name: &str) -> Result<Option<Cow<'a, str>>, S3Error> {
        let Some((_, raw)) = self.pairs().find(|(found, _)| *found == name) else {
            return Ok(None);
        };
        if !raw.contains(['%', '+']) {
            return Ok(Some(Cow::Borrowed(raw)));
        }
        let spaced = raw.replace('+', " ");
        let decoded = percent_decode_str(&spaced)
            .decode_utf8()
            .map_err(|_| S3Error::invalid_uri())?;
        Ok(Some(Cow::Owned(decoded.into_owned())))
    }

    /// Returns the decoded value of a parameter, empty if it is absent.
    pub(crate) fn text(self, name: &str) -> Result<Cow<'a, str>, S3Error> {
        Ok(self.get(name)?.unwrap_or_default())
    }

    /// Returns the number of entries that a page may hold: the parameter if it is present, but at
    /// most `max`.
    pub(crate) fn page_size(self, name: &'static str, max: u32) -> Result<u32, S3Error> {
        let requested = self.number(name, i32::MAX.unsigned_abs())?;
        Ok(requested.unwrap_or(max).min(max))
    }

    /// Returns a parameter as a number. `max` is the limit that an error names.
    pub(crate) fn number(self, name: &'static str, max: u32) -> Result<Option<u32>, S3Error> {
        let Some(text) = self.get(name)? else {
            return Ok(None);
        };
        let refusal = || {
            S3Error::invalid_argument(
                name,
                &text,
                format!("Argument {name} must be an integer between 0 and {max}"),
            )
        };
        text.parse::<u32>().map(Some).map_err(|_| refusal())
    }
}
