//! Lossless WebP files that no encoder writes: few bytes that ask the decoder for much memory.

/// Bits, the lowest of a byte first.
#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    bits: usize,
}

impl BitWriter {
    fn put(&mut self, value: usize, count: usize) {
        for bit in 0..count {
            if self.bits.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.last_mut().unwrap();
            *last |= u8::from(value >> bit & 1 == 1) << (self.bits % 8);
            self.bits += 1;
        }
    }

    /// A code with one symbol, which takes no bits.
    fn put_only(&mut self, symbol: usize) {
        self.put(0b101, 3);
        self.put(symbol, 8);
    }

    /// A code of two symbols.
    fn put_two(&mut self, symbols: [usize; 2]) {
        self.put(0b111, 3);
        self.put(symbols[0], 8);
        self.put(symbols[1], 8);
    }

    /// A code of `1 << length` symbols, all of this length. It takes 8 bytes, whatever it has the decoder build.
    fn put_all_of_length(&mut self, length: usize) {
        const ORDER: [usize; 19] = [
            17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        ];
        self.put(0, 1);
        self.put(15, 4);
        for symbol in ORDER {
            self.put(usize::from(symbol == length), 3);
        }
        // As many lengths as symbols; no bits follow, since the code for lengths has one symbol.
        self.put(1, 1);
        self.put(5, 3);
        self.put((1 << length) - 2, 12);
    }
}

/// Which image the groups belong to.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// The picture of a file that is nothing else.
    Simple,
    /// The picture of a file in the extended format.
    Extended,
    /// The alpha of a lossy picture.
    Alpha,
    /// The first frame of an animation.
    Animation,
}

/// An image of 16 x 16 pixels whose blocks name this group as the last one, each group with as much as can be asked for.
fn stream(groups: usize) -> BitWriter {
    let mut bits = BitWriter::default();
    // A transform of colours, in blocks of 4 pixels, without a cache, each pixel of two bits.
    bits.put(0b011, 3);
    bits.put(0, 3);
    bits.put(0, 1);
    bits.put_two([0, 1]);
    bits.put_two([0, 1]);
    (0..3).for_each(|_| bits.put_only(0));
    (0..16).for_each(|pixel| bits.put(pixel, 2));
    // No other transform; a cache of 2,048 colours, which widens the first code.
    bits.put(0, 1);
    bits.put(1, 1);
    bits.put(11, 4);
    // Blocks of 4 pixels, again; they say their group by red and green. The last is a copy of the first.
    let last = groups - 1;
    bits.put(1, 1);
    bits.put(0, 3);
    bits.put(0, 1);
    bits.put_two([last & 255, last & 255 ^ 1]);
    bits.put_only(last >> 8);
    (0..3).for_each(|_| bits.put_only(0));
    bits.put(0, 16);
    for _ in 0..groups {
        bits.put_all_of_length(11);
        (0..3).for_each(|_| bits.put_all_of_length(8));
        bits.put_all_of_length(5);
    }
    bits.bytes.resize(bits.bytes.len() + 2048, 0);
    bits
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap().to_le_bytes();
    let padding = vec![0; data.len() % 2];
    [name, &length[..], data, &padding].concat()
}

fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(b"RIFF", &[b"WEBP", &chunks.concat()[..]].concat())
}

const ANIMATION: u8 = 0x02;
const EXIF: u8 = 0x08;
const ALPHA: u8 = 0x10;
const ICC: u8 = 0x20;

/// A file in the extended format, of 16 x 16 pixels.
fn extended(flags: u8, chunks: &[Vec<u8>]) -> Vec<u8> {
    let header = chunk(b"VP8X", &[flags, 0, 0, 0, 15, 0, 0, 15, 0, 0]);
    file(&[&[header], chunks].concat())
}

/// A lossy frame of 16 x 16 pixels.
fn lossy_frame() -> Vec<u8> {
    let pixels = [100_u8; 16 * 16 * 3];
    let encoded = webp::Encoder::from_rgb(&pixels, 16, 16).encode(80.0);
    encoded[12..].to_vec()
}

/// A file whose picture names this many groups of prefix codes.
pub(crate) fn webp_of_groups(groups: usize, place: Place) -> Vec<u8> {
    let stream = stream(groups).bytes;
    let mut head = BitWriter::default();
    head.put(0x2f, 8);
    head.put(15, 14);
    head.put(15, 14);
    head.put(0b0001, 4);
    let picture = chunk(b"VP8L", &[head.bytes, stream.clone()].concat());
    match place {
        Place::Simple => file(&[picture]),
        Place::Extended => extended(ALPHA, &[picture]),
        Place::Alpha => {
            let alpha = chunk(b"ALPH", &[&[1], &stream[..]].concat());
            extended(ALPHA, &[alpha, lossy_frame()])
        }
        Place::Animation => {
            let header = [0, 0, 0, 0, 0, 0, 15, 0, 0, 15, 0, 0, 100, 0, 0, 0];
            let frame = chunk(b"ANMF", &[&header, &picture[..]].concat());
            extended(ALPHA | ANIMATION, &[chunk(b"ANIM", &[0; 6]), frame])
        }
    }
}

/// A lossy frame that says that its data has eight parts, the first of them of 16 MiB.
pub(crate) fn webp_of_long_parts() -> Vec<u8> {
    const HEAD_BYTES: u32 = 64;
    let tag = (HEAD_BYTES << 5 | 0x10).to_le_bytes();
    let mut frame = [&tag[..3], &[0x9d, 1, 0x2a, 16, 0, 16, 0]].concat();
    // Of the head, the first bit (the colour space) is zero, and all others are set, as are the sizes behind it.
    frame.push(0x7f);
    frame.resize(frame.len() + 63 + 7 * 3 + 100, 0xff);
    file(&[chunk(b"VP8 ", &frame)])
}

/// A picture with a chunk of this name beside it.
pub(crate) fn webp_with(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    extended(
        EXIF | ICC,
        &[
            chunk(name, data),
            chunk(b"ICCP", b"none"),
            chunk(b"EXIF", b"none"),
            lossy_frame(),
        ],
    )
}

/// A lossy picture with as much behind its data.
pub(crate) fn webp_with_tail(size: usize) -> Vec<u8> {
    let mut frame = lossy_frame()[8..].to_vec();
    frame.resize(frame.len() + size, 0xa5);
    file(&[chunk(b"VP8 ", &frame)])
}
