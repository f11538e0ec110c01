//! How much memory a lossless image takes for its prefix codes, found without decoding it.
//!
//! An image may have up to 65,536 groups of codes, of up to 120 KB of tables each, and the decoder builds them all. How many
//! there are stands behind the images of the transforms, in an image that says which block uses which group, and nowhere else.
//! So those images are passed over: no pixel of them is kept, since what bits follow does not depend on any, and the largest
//! group that a pixel names can only be one that stands in the file, not one that was copied.
//!
//! Source: RFC 9649, section 3.

use super::prefix_code::{BitReader, PrefixCode};

/// More than any encoder asks for: libwebp writes up to 2,600 groups. So that it does not take long to find out.
pub(super) const GROUPS_BYTES_MAX: u64 = 512 << 20;

/// The structure of a group in the decoder, in a list that doubles while it grows, and the allocator's share.
const GROUP_BYTES: u64 = 1024;

/// Symbols of the first code below this one are green, from here on lengths of copies, and after those colours of the cache.
const LITERALS: usize = 256;
const COPIES: usize = 24;
/// Of the codes for green, red, blue, alpha and distances; green's has the colours of the cache, too.
const ALPHABETS: [usize; 5] = [LITERALS + COPIES, 256, 256, 256, 40];

/// What the groups of a `VP8L` chunk take.
pub(super) fn group_bytes(chunk: &[u8]) -> u64 {
    // The signature; two edges of 14 bits; alpha, and the version.
    let Some((head, stream)) = chunk.split_first_chunk::<5>() else {
        return 0;
    };
    let [_, size @ ..] = *head;
    let size = u32::from_le_bytes(size) as usize;
    let (width, height) = (1 + (size & 0x3fff), 1 + (size >> 14 & 0x3fff));
    stream_bytes(stream, width, height)
}

/// What the groups of an `ALPH` chunk of a frame with this size take.
pub(super) fn alpha_group_bytes(chunk: &[u8], width: usize, height: usize) -> u64 {
    match chunk.split_first() {
        // Compressed as a lossless image.
        Some((head, stream)) if head & 3 == 1 => stream_bytes(stream, width, height),
        _ => 0,
    }
}

/// What the decoder takes until it is through, or finds that the stream is broken.
fn stream_bytes(stream: &[u8], width: usize, height: usize) -> u64 {
    let mut bytes = 0;
    // Where the stream is broken, the decoder does not get further either, and says so.
    let _ = count_groups(&mut BitReader::new(stream), width, height, &mut bytes);
    bytes
}

fn count_groups(
    bits: &mut BitReader<'_>,
    width: usize,
    height: usize,
    bytes: &mut u64,
) -> Option<()> {
    let width = skip_transforms(bits, width, height)?;
    let cache_colours = read_cache_colours(bits)?;
    let mut groups = 1;
    if bits.read_flag()? {
        let block_bits = 2 + bits.read(3)?;
        let blocks = blocks(width, block_bits) * blocks(height, block_bits);
        groups = 1 + skip_image(bits, blocks)?;
    }
    for _ in 0..groups {
        *bytes += GROUP_BYTES;
        for alphabet in alphabets(cache_colours) {
            *bytes += PrefixCode::read_decoder_bytes(bits, alphabet)?;
        }
        if *bytes > GROUPS_BYTES_MAX {
            return None;
        }
    }
    Some(())
}

/// How many blocks of `1 << block_bits` pixels an edge has.
fn blocks(edge: usize, block_bits: usize) -> usize {
    edge.div_ceil(1 << block_bits)
}

fn alphabets(cache_colours: usize) -> [usize; 5] {
    let mut alphabets = ALPHABETS;
    alphabets[0] += cache_colours;
    alphabets
}

/// Passes over the transforms. Returns the width of the image that they leave.
fn skip_transforms(bits: &mut BitReader<'_>, mut width: usize, height: usize) -> Option<usize> {
    const SUBTRACT_GREEN: usize = 2;
    const PALETTE: usize = 3;
    let mut seen = [false; 4];
    while bits.read_flag()? {
        let kind = bits.read(2)?;
        if std::mem::replace(&mut seen[kind], true) {
            return None;
        }
        match kind {
            SUBTRACT_GREEN => {}
            PALETTE => {
                let colours = 1 + bits.read(8)?;
                skip_image(bits, colours)?;
                // Small palettes put several pixels into one.
                width = match colours {
                    ..=2 => blocks(width, 3),
                    3..=4 => blocks(width, 2),
                    5..=16 => blocks(width, 1),
                    _ => width,
                };
            }
            // The predictors, and the transform of colours.
            _ => {
                let block_bits = 2 + bits.read(3)?;
                skip_image(bits, blocks(width, block_bits) * blocks(height, block_bits))?;
            }
        }
    }
    Some(width)
}

/// How many colours the cache has.
fn read_cache_colours(bits: &mut BitReader<'_>) -> Option<usize> {
    if !bits.read_flag()? {
        return Some(0);
    }
    let colour_bits = bits.read(4)?;
    (1..=11).contains(&colour_bits).then(|| 1 << colour_bits)
}

/// Passes over an image that has one group of codes. Returns the largest number that red and green make of a pixel.
fn skip_image(bits: &mut BitReader<'_>, pixels: usize) -> Option<usize> {
    let cache_colours = read_cache_colours(bits)?;
    let mut codes = Vec::with_capacity(ALPHABETS.len());
    for alphabet in alphabets(cache_colours) {
        codes.push(PrefixCode::read(bits, alphabet)?);
    }
    let [green, red, blue, alpha, distance] = codes.as_slice() else {
        return None;
    };
    // The rest of the image, where no pixel takes a bit.
    let is_constant = [green, red, blue, alpha]
        .iter()
        .all(|code| code.only_symbol().is_some());
    let mut largest = 0;
    let mut at = 0;
    while at < pixels {
        let symbol = green.symbol(bits)?;
        if let Some(copy) = symbol.checked_sub(LITERALS) {
            if copy < COPIES {
                at += read_length(bits, copy)?;
                let distance = distance.symbol(bits)?;
                read_length(bits, distance)?;
            } else {
                at += 1;
            }
        } else {
            largest = largest.max(red.symbol(bits)? << 8 | symbol);
            blue.symbol(bits)?;
            alpha.symbol(bits)?;
            at = if is_constant { pixels } else { at + 1 };
        }
    }
    (at == pixels).then_some(largest)
}

/// The length or distance that a symbol begins.
fn read_length(bits: &mut BitReader<'_>, symbol: usize) -> Option<usize> {
    if symbol < 4 {
        return Some(symbol + 1);
    }
    let extra_bits = (symbol - 2) >> 1;
    let offset = (2 + (symbol & 1)) << extra_bits;
    Some(offset + bits.read(extra_bits)? + 1)
}
