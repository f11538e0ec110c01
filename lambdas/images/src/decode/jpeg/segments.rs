//! The segments of a JPEG file, without its pixels: what decoding will cost, and whether it is whole.
//!
//! The decoder would find out by itself, but only after it has done the work.

use crate::{failure::RenderFailure, raster::Size};

/// More than any encoder writes (progressive files have some 10), and few enough that an image of scans without data, each
/// of which visits every block, ends in time.
const SCANS_MAX: usize = 100;

pub(super) const CUT_OFF: RenderFailure = RenderFailure::Unreadable("the JPEG file is cut off");
pub(super) const BROKEN: RenderFailure = RenderFailure::Unreadable("the JPEG file is broken");

/// A colour, or grey.
#[derive(Clone, Copy)]
pub(super) struct JpegComponent {
    pub(super) id: u8,
    /// Blocks in a unit, in each direction.
    pub(super) horizontal: u8,
    pub(super) vertical: u8,
}

impl JpegComponent {
    /// How many blocks of it are in a unit.
    pub(super) fn blocks(&self) -> u32 {
        u32::from(self.horizontal) * u32::from(self.vertical)
    }
}

/// What the segments say.
pub(crate) struct JpegSegments {
    pub(crate) full: Size,
    pub(crate) is_progressive: bool,
    /// Photoshop's marker, without which CMYK is stored as it is and not inverted.
    pub(crate) has_adobe_marker: bool,
    pub(super) components: Vec<JpegComponent>,
    /// Where the first image ends; after it there may be others (MPO), or anything.
    pub(crate) end: usize,
}

impl JpegSegments {
    /// Walks the segments up to the end of the image.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, RenderFailure> {
        let mut frame = None;
        let mut has_adobe_marker = false;
        let mut scans = 0;
        let mut scan_bytes = 0;
        let mut at = 2;
        loop {
            let (start, marker) = next_marker(bytes, at)?;
            at = start + 2;
            // Markers without a segment.
            match marker {
                0xd9 => break,
                0x01 | 0xd0..=0xd8 => continue,
                _ => {}
            }
            let segment = segment(bytes, at)?;
            at += 2 + segment.len();
            match marker {
                0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                    if frame.is_some() {
                        return Err(BROKEN);
                    }
                    frame = Some(JpegFrame::read(marker, segment)?);
                }
                0xee => has_adobe_marker |= segment.starts_with(b"Adobe"),
                0xda => {
                    let start_of_data = at;
                    at = end_of_scan(bytes, at)?;
                    scan_bytes += at - start_of_data;
                    scans += 1;
                    if scans > SCANS_MAX {
                        let reason = "the JPEG file has more than 100 scans";
                        return Err(RenderFailure::TooLarge(reason));
                    }
                }
                _ => {}
            }
        }
        let frame = frame.ok_or(BROKEN)?;
        if scans == 0 {
            return Err(BROKEN);
        }
        // A block takes two codes at least, in a progressive file one; the decoder would take the missing ones for zeros.
        let blocks = u64::from(frame.full.width / 8) * u64::from(frame.full.height / 8);
        let bits_min = if frame.is_progressive {
            blocks
        } else {
            2 * blocks
        };
        if (scan_bytes as u64 * 8) < bits_min {
            return Err(CUT_OFF);
        }
        Ok(Self {
            full: frame.full,
            is_progressive: frame.is_progressive,
            has_adobe_marker,
            components: frame.components,
            end: at,
        })
    }

    fn sampling_max(&self) -> (u32, u32) {
        let max = |edge: fn(&JpegComponent) -> u8| self.components.iter().map(edge).max();
        let horizontal = max(|component| component.horizontal);
        let vertical = max(|component| component.vertical);
        (horizontal.unwrap_or(1).into(), vertical.unwrap_or(1).into())
    }

    /// How many units of blocks of all components the image has.
    pub(super) fn units(&self) -> u32 {
        let (horizontal, vertical) = self.sampling_max();
        self.full.width.div_ceil(8 * horizontal) * self.full.height.div_ceil(8 * vertical)
    }

    /// How many blocks a component has in a scan of its own.
    pub(super) fn blocks(&self, component: &JpegComponent) -> u32 {
        let (horizontal, vertical) = self.sampling_max();
        let blocks =
            |edge: u32, sampling: u8, max: u32| (edge * u32::from(sampling)).div_ceil(8 * max);
        blocks(self.full.width, component.horizontal, horizontal)
            * blocks(self.full.height, component.vertical, vertical)
    }
}

/// The frame header.
struct JpegFrame {
    full: Size,
    is_progressive: bool,
    components: Vec<JpegComponent>,
}

impl JpegFrame {
    fn read(marker: u8, segment: &[u8]) -> Result<Self, RenderFailure> {
        let is_progressive = match marker {
            0xc0 | 0xc1 => false,
            0xc2 => true,
            _ => {
                let reason = "lossless, hierarchical and arithmetic JPEG are not supported";
                return Err(RenderFailure::Unreadable(reason));
            }
        };
        let [precision, h1, h0, w1, w0, count, components @ ..] = segment else {
            return Err(BROKEN);
        };
        if *precision != 8 {
            return Err(RenderFailure::Unreadable(
                "JPEG of 12 bits is not supported",
            ));
        }
        if components.len() < usize::from(*count) * 3 || !matches!(count, 1 | 3 | 4) {
            return Err(BROKEN);
        }
        let (components, _) = components.as_chunks::<3>();
        let components = components
            .iter()
            .take(usize::from(*count))
            .map(|&[id, sampling, _]| JpegComponent {
                id,
                horizontal: sampling >> 4,
                vertical: sampling & 15,
            })
            .collect::<Vec<_>>();
        if components.iter().any(|component| {
            !(1..=4).contains(&component.horizontal) || !(1..=4).contains(&component.vertical)
        }) {
            return Err(BROKEN);
        }
        Ok(Self {
            full: Size {
                width: u16::from_be_bytes([*w1, *w0]).into(),
                height: u16::from_be_bytes([*h1, *h0]).into(),
            },
            is_progressive,
            components,
        })
    }
}

/// The next marker and where it stands. Between segments there may be anything, as libjpeg allows.
pub(super) fn next_marker(bytes: &[u8], mut at: usize) -> Result<(usize, u8), RenderFailure> {
    loop {
        let rest = bytes.get(at..).ok_or(CUT_OFF)?;
        at += memchr::memchr(0xff, rest).ok_or(CUT_OFF)?;
        match bytes.get(at + 1) {
            None => return Err(CUT_OFF),
            Some(0) => at += 2,
            Some(0xff) => at += 1,
            Some(marker) => return Ok((at, *marker)),
        }
    }
}

/// What a segment holds, after its length.
pub(super) fn segment(bytes: &[u8], at: usize) -> Result<&[u8], RenderFailure> {
    let length = bytes.get(at..at + 2).ok_or(CUT_OFF)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    if length < 2 {
        return Err(BROKEN);
    }
    bytes.get(at + 2..at + length).ok_or(CUT_OFF)
}

/// Where the next marker stands that does not belong to the data of a scan.
pub(super) fn end_of_scan(bytes: &[u8], mut at: usize) -> Result<usize, RenderFailure> {
    loop {
        let (start, marker) = next_marker(bytes, at)?;
        if !matches!(marker, 0xd0..=0xd7) {
            return Ok(start);
        }
        at = start + 2;
    }
}
