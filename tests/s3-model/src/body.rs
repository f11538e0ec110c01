//! Bodies on the wire: generated while they are sent, silent or cut off where the weather says so.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use crate::reply::Content;

/// Synthetic content is generated in blocks of this size.
const BLOCK_BYTES: u64 = 128 * 1024;

/// The body of an answer.
#[derive(Debug)]
pub(crate) struct WireBody {
    content: Content,
    sent: u64,
    /// What `Content-Length` says, which is more than what is sent when the body is cut.
    length: u64,
    /// Break the connection after so many bytes.
    cut_after: Option<u64>,
    /// Send nothing until then.
    silence: Option<Pin<Box<Sleep>>>,
}

/// The weather broke the body off.
#[derive(Debug, thiserror::Error)]
#[error("the weather cut the body off")]
pub(crate) struct Cut;

impl WireBody {
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

    /// The next block, at most `most` bytes of it.
    fn block(&mut self, most: u64) -> Bytes {
        let left = (self.length - self.sent).min(most);
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

impl Body for WireBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
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
            return Poll::Ready(Some(Err(Cut)));
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
