//! PNG, row by row; one that is interlaced as a whole.

use std::io::Cursor;

use png::{ColorType, Decoder, Limits, Reader, Transformations};

use super::HeaderProbe;
use crate::{
    decoded::DecodedImage,
    failure::RenderFailure,
    orientation::Orientation,
    raster::{Channels, Size},
    shrink::{self, RowShrinker},
};

const BROKEN: RenderFailure = RenderFailure::Unreadable("the PNG file is broken or cut off");

/// For what stands between the pixels: a colour profile, unpacked, and EXIF.
const CHUNK_BYTES_MAX: u64 = 16 << 20;

type Source<'a> = Cursor<&'a [u8]>;

/// What the first chunk says.
struct PngHeader {
    full: Size,
    is_interlaced: bool,
}

impl PngHeader {
    fn read(bytes: &[u8]) -> Result<Self, RenderFailure> {
        let header: &[u8; 29] = bytes.first_chunk().ok_or(BROKEN)?;
        let [.., w3, w2, w1, w0, h3, h2, h1, h0, _, _, _, _, interlace] = *header;
        if &header[12..16] != b"IHDR" {
            return Err(BROKEN);
        }
        Ok(Self {
            full: Size {
                width: u32::from_be_bytes([w3, w2, w1, w0]),
                height: u32::from_be_bytes([h3, h2, h1, h0]),
            },
            is_interlaced: interlace == 1,
        })
    }
}

pub(super) fn probe(bytes: &[u8], edge: u32) -> Result<HeaderProbe, RenderFailure> {
    let header = PngHeader::read(bytes)?;
    // The widest rows: 4 channels, and 16 bits in the decoder.
    let whole = if header.is_interlaced {
        header.full.pixels() * 4
    } else {
        0
    };
    let rows = u64::from(header.full.width) * 8 * 4;
    Ok(HeaderProbe {
        full: header.full,
        memory_bytes: whole + rows + CHUNK_BYTES_MAX + shrink::memory_bytes(header.full, 4, edge),
    })
}

pub(super) fn decode(bytes: &[u8], edge: u32) -> Result<DecodedImage, RenderFailure> {
    let header = PngHeader::read(bytes)?;
    let rows = u64::from(header.full.width) * 8 * 4;
    let allowed = usize::try_from(rows + CHUNK_BYTES_MAX).map_err(|_| BROKEN)?;
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: allowed });
    decoder.set_ignore_text_chunk(true);
    // Palettes and fewer bits become 8 bits a channel, 16 bits lose the lower half; what is transparent becomes alpha.
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|_| BROKEN)?;
    let channels = match reader.output_color_type().0 {
        ColorType::Grayscale => Channels::Grey,
        ColorType::GrayscaleAlpha => Channels::GreyAlpha,
        ColorType::Rgb => Channels::Rgb,
        ColorType::Rgba => Channels::Rgba,
        ColorType::Indexed => return Err(BROKEN),
    };
    let mut shrinker = RowShrinker::new(header.full, channels, edge);
    if header.is_interlaced {
        read_whole(&mut reader, header.full, channels, &mut shrinker)?;
    } else {
        for _ in 0..header.full.height {
            let row = reader.next_row().map_err(|_| BROKEN)?.ok_or(BROKEN)?;
            shrinker.push(row.data());
        }
    }
    let info = reader.info();
    Ok(DecodedImage {
        reduced_by: shrinker.factor(),
        raster: shrinker.finish(),
        full: header.full,
        icc: info.icc_profile.as_ref().map(|profile| profile.to_vec()),
        orientation: info
            .exif_metadata
            .as_ref()
            .map_or_else(Orientation::default, |exif| Orientation::from_exif(exif)),
    })
}

fn read_whole(
    reader: &mut Reader<Source<'_>>,
    full: Size,
    channels: Channels,
    shrinker: &mut RowShrinker,
) -> Result<(), RenderFailure> {
    let row_bytes = full.width as usize * channels.count();
    let mut pixels = vec![0; row_bytes * full.height as usize];
    if reader.output_buffer_size() != Some(pixels.len()) {
        return Err(BROKEN);
    }
    reader.next_frame(&mut pixels).map_err(|_| BROKEN)?;
    pixels
        .chunks_exact(row_bytes)
        .for_each(|row| shrinker.push(row));
    Ok(())
}
