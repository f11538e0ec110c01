//! The body of a response on the wire. It is generated while it is sent, and the weather can
//! stall it or cut it off.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use super::response::Content;

/// Synthetic content is generated in blocks of this size.
const BLOCK_BYTES: u64 = 128 * 1024;

/// The body of a response.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    content: Content,
    sent: u64,
    /// The value of `Content-Length`. A body that is cut sends less.
    length: u64,
    /// Break the connection after this many bytes.
    cut_after: Option<u64>,
    /// Send nothing before it ends.
    silence: Option<Pin<Box<Sleep>>>,
}

/// The weather cut the body off.
#[derive(Debug, thiserror::Error)]
#[error("the weather cut the body off")]
pub(crate) struct BodyCut;

impl ResponseBody {
    pub(crate) fn new(content: Content) -> Self {
        let length = content.length();
        Self {
            content,
            sent: 0,
            length,
            cut_after: None,
            silence: None,
        }
    }

    pub(crate) fn cut_after(mut self, bytes: u64) -> Self {
        self.cut_after = Some(bytes);
        self
    }

    pub(crate) fn silent_for(mut self, sleep: Sleep) -> Self {
        self.silence = Some(Box::pin(sleep));
        self
    }

    /// Returns the next block, with at most `max` bytes.
    fn block(&mut self, max: u64) -> Bytes {
        let left = (self.length - self.sent).min(max);
        match &self.content {
            Content::Empty => Bytes::new(),
            Content::Bytes(bytes) => {
                let start = usize::try_from(self.sent).unwrap_or(bytes.len());
                bytes.slice(start..start + usize::try_from(left).unwrap_or(0))
            }
            Content::Rope(rope) => rope.slice(self.sent, left.min(BLOCK_BYTES)).to_bytes(),
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyCut;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyCut>>> {
        let body = self.get_mut();
        if let Some(silence) = &mut body.silence {
            if silence.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            body.silence = None;
        }
        let allowed = body
            .cut_after
            .map_or(u64::MAX, |cut| cut.saturating_sub(body.sent));
        if allowed == 0 && body.sent < body.length {
            return Poll::Ready(Some(Err(BodyCut)));
        }
        if body.sent == body.length {
            return Poll::Ready(None);
        }
        let block = body.block(allowed);
        body.sent += block.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(block))))
    }

    fn is_end_stream(&self) -> bool {
        self.sent == self.length && self.silence.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length - self.sent)
    }
}
