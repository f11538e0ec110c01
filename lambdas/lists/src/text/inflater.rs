//! The text of a file that may be compressed, in bounded pieces.

use std::{
    io::{Error as IoError, ErrorKind, Result as IoResult},
    sync::Arc,
};

use flate2::{Decompress, FlushDecompress, Status};
use shardlift_core::failure::Failure;
use zstd::{
    stream::raw::{Decoder, InBuffer, Operation, OutBuffer},
    zstd_safe::DParameter,
};

use super::other_files::{GZIP_MAGIC, ZSTD_MAGIC};
use crate::whole_file::{UPLOAD_AGAIN, refused};

/// How much text comes at once.
const PIECE_BYTES: usize = 64 * 1024;
/// Any gzip file can be read with a window of 32 KiB (RFC 1951, section 2).
const GZIP_WINDOW_BITS: u8 = 15;
/// zstd up to level 19 looks back 8 MiB at most. Some kilobytes could ask for 128 MiB, and more.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// As many bytes tell how a file is compressed.
const MAGIC_BYTES: usize = 4;

/// Decompresses what is fed, as much at a time as is asked for. It finds out by itself how the file is compressed.
pub(super) struct Inflater {
    file: Arc<str>,
    codec: Codec,
    input: Vec<u8>,
    at: usize,
    has_ended: bool,
}

enum Codec {
    /// The first bytes have not come yet.
    Unknown,
    Plain,
    Gzip(GzipMember),
    Zstd {
        decoder: Decoder<'static>,
        is_within_frame: bool,
    },
}

/// A member of a gzip file, which consists of one or several.
struct GzipMember {
    /// It compares the checksum at the end of the member.
    decoder: Decompress,
    is_open: bool,
    /// Whether it may hold text of what it has taken already.
    has_text: bool,
}

impl GzipMember {
    fn begin() -> Self {
        Self {
            decoder: Decompress::new_gzip(GZIP_WINDOW_BITS),
            is_open: true,
            has_text: false,
        }
    }

    /// Fills what is reserved of `text`; how much of the input that took.
    fn inflate(&mut self, input: &[u8], text: &mut Vec<u8>) -> IoResult<usize> {
        if !self.is_open {
            *self = Self::begin();
        }
        let before = (self.decoder.total_in(), text.len());
        let status = self
            .decoder
            .decompress_vec(input, text, FlushDecompress::None)?;
        let taken = usize::try_from(self.decoder.total_in() - before.0);
        let taken = taken.unwrap_or(input.len());
        self.is_open = status != Status::StreamEnd;
        let is_stuck = self.is_open && taken == 0 && text.len() == before.1;
        self.has_text = self.is_open && !is_stuck && text.len() == text.capacity();
        if is_stuck && !input.is_empty() {
            return Err(IoError::from(ErrorKind::InvalidData));
        }
        Ok(taken)
    }
}

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pulled {
    /// Some text.
    Text,
    /// Nothing before more is fed.
    NeedsInput,
    /// Nothing any more.
    End,
}

impl Inflater {
    /// For a file from its beginning.
    pub(super) fn new(file: Arc<str>) -> Self {
        Self::with(file, Codec::Unknown)
    }

    /// For the rest of a file that is known to be uncompressed.
    pub(super) fn of_plain_rest(file: Arc<str>) -> Self {
        Self::with(file, Codec::Plain)
    }

    fn with(file: Arc<str>, codec: Codec) -> Self {
        Self {
            file,
            codec,
            input: Vec::new(),
            at: 0,
            has_ended: false,
        }
    }

    /// Takes the next bytes of the file.
    pub(super) fn feed(&mut self, bytes: Vec<u8>) {
        if self.at == self.input.len() {
            self.input = bytes;
        } else {
            self.input.drain(..self.at);
            self.input.extend_from_slice(&bytes);
        }
        self.at = 0;
    }

    /// The file has no further bytes.
    pub(super) fn end(&mut self) {
        self.has_ended = true;
    }

    /// Whether the file is known to be compressed.
    pub(super) fn is_compressed(&self) -> bool {
        matches!(self.codec, Codec::Gzip(_) | Codec::Zstd { .. })
    }

    /// Appends the next piece of text.
    pub(super) fn pull(&mut self, text: &mut Vec<u8>) -> Result<Pulled, Failure> {
        if matches!(self.codec, Codec::Unknown) {
            let known = self.input.len() - self.at;
            if known < MAGIC_BYTES && !self.has_ended {
                return Ok(Pulled::NeedsInput);
            }
            self.codec = codec_of(&self.input[self.at..]).map_err(|error| self.damaged(&error))?;
        }
        let before = text.len();
        self.decompress(text)
            .map_err(|error| self.damaged(&error))?;
        if text.len() > before {
            Ok(Pulled::Text)
        } else if self.has_ended && self.at == self.input.len() {
            self.check_end()?;
            Ok(Pulled::End)
        } else {
            Ok(Pulled::NeedsInput)
        }
    }

    fn decompress(&mut self, text: &mut Vec<u8>) -> IoResult<()> {
        match &mut self.codec {
            Codec::Unknown => {}
            Codec::Plain => {
                let piece = PIECE_BYTES.min(self.input.len() - self.at);
                text.extend_from_slice(&self.input[self.at..self.at + piece]);
                self.at += piece;
            }
            Codec::Gzip(member) => {
                text.reserve(PIECE_BYTES);
                let full = text.len() + PIECE_BYTES / 2;
                while text.len() < full && (self.at < self.input.len() || member.has_text) {
                    self.at += member.inflate(&self.input[self.at..], text)?;
                }
            }
            Codec::Zstd {
                decoder,
                is_within_frame,
            } => {
                let begin = text.len();
                text.resize(begin + PIECE_BYTES, 0);
                let mut input = InBuffer::around(&self.input[self.at..]);
                let mut output = OutBuffer::around(&mut text[begin..]);
                let mut result = Ok(());
                while input.pos() < input.src.len() || *is_within_frame {
                    let before = (input.pos(), output.pos());
                    match decoder.run(&mut input, &mut output) {
                        Ok(hint) => *is_within_frame = hint != 0,
                        Err(error) => {
                            result = Err(error);
                            break;
                        }
                    }
                    if output.pos() == PIECE_BYTES || before == (input.pos(), output.pos()) {
                        break;
                    }
                }
                self.at += input.pos();
                let written = output.pos();
                text.truncate(begin + written);
                return result;
            }
        }
        Ok(())
    }

    /// A member of a gzip file, and a zstd frame, has to be over.
    fn check_end(&self) -> Result<(), Failure> {
        match self.codec {
            Codec::Gzip(GzipMember { is_open: true, .. }) => {
                Err(self.damaged(&IoError::from(ErrorKind::UnexpectedEof)))
            }
            Codec::Zstd {
                is_within_frame: true,
                ..
            } => Err(refused(
                &self.file,
                "the zstd file is cut off",
                UPLOAD_AGAIN,
            )),
            _ => Ok(()),
        }
    }

    fn damaged(&self, error: &std::io::Error) -> Failure {
        let kind = match self.codec {
            Codec::Gzip(_) => "gzip",
            Codec::Zstd { .. } => "zstd",
            Codec::Unknown | Codec::Plain => "compressed",
        };
        let problem = format!("the {kind} file is cut off or damaged ({error})");
        let action = "upload the file again (gzip, zstd up to level 19, or uncompressed) and start a new execution";
        refused(&self.file, problem, action)
    }
}

/// How the file that begins with these bytes is compressed.
fn codec_of(begin: &[u8]) -> IoResult<Codec> {
    if begin.starts_with(GZIP_MAGIC) {
        return Ok(Codec::Gzip(GzipMember::begin()));
    }
    if begin.starts_with(ZSTD_MAGIC) {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX))?;
        return Ok(Codec::Zstd {
            decoder,
            is_within_frame: true,
        });
    }
    Ok(Codec::Plain)
}
