//! A document that is written in small pieces.

use shardlift_aws::telemetry::field;
use shardlift_core::{
    failure::{Context, Failure},
    port::ControlWriter,
};

/// Bytes that gather before they are sent.
const BUFFER_BYTES: usize = 256 * 1024;

/// Gathers small pieces, so that each is not a call of its own.
pub(crate) struct BufferedDocument<W> {
    writer: W,
    key: String,
    buffer: Vec<u8>,
}

impl<W: ControlWriter> BufferedDocument<W> {
    /// A document under `key`, of which nothing is written yet.
    pub(crate) fn new(writer: W, key: String) -> Self {
        Self {
            writer,
            key,
            buffer: Vec::new(),
        }
    }

    /// Where to append.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Sends what has gathered once it is more than [`BUFFER_BYTES`].
    ///
    /// # Errors
    /// When the control bucket cannot be used.
    pub(crate) async fn flush_if_large(&mut self) -> Result<(), Failure> {
        if self.buffer.len() > BUFFER_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        let written = self.writer.write(&self.buffer).await;
        written.context(format_args!("writing {}", self.key))?;
        self.buffer.clear();
        Ok(())
    }

    /// Sends the rest, and makes the document appear.
    ///
    /// # Errors
    /// When the control bucket cannot be used.
    pub(crate) async fn finish(mut self) -> Result<(), Failure> {
        if !self.buffer.is_empty() {
            self.flush().await?;
        }
        let finished = self.writer.finish().await;
        finished.context(format_args!("writing {}", self.key))
    }

    /// Frees what was sent. That this may fail too changes nothing: the bucket's lifecycle rule removes it in the end.
    pub(crate) async fn abandon(self) {
        if let Err(fault) = self.writer.abandon().await {
            tracing::warn!(
                { field::ERROR_DETAIL } = %fault,
                document = self.key,
                "an unfinished document was left behind"
            );
        }
    }
}
