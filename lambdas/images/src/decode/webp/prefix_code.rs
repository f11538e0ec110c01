//! Prefix codes (Huffman codes) of lossless WebP, and the bits that they are read from.
//!
//! Source: RFC 9649, section 3.7.2.

/// Bits, the lowest of a byte first.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next bits, 57 at least, with zeros after the last one.
    fn peek(&self) -> u64 {
        let rest = self.bytes.get(self.at / 8..).unwrap_or_default();
        let next = match rest.first_chunk::<8>() {
            Some(next) => *next,
            None => std::array::from_fn(|index| rest.get(index).copied().unwrap_or(0)),
        };
        u64::from_le_bytes(next) >> (self.at % 8)
    }

    /// Passes bits. None where there are not as many.
    fn skip(&mut self, count: usize) -> Option<()> {
        self.at += count;
        (self.at <= self.bytes.len() * 8).then_some(())
    }

    /// The next bits as a number, at most 32 of them.
    pub(super) fn read(&mut self, count: usize) -> Option<usize> {
        let value = self.peek() & ((1 << count) - 1);
        self.skip(count)?;
        usize::try_from(value).ok()
    }

    pub(super) fn read_flag(&mut self) -> Option<bool> {
        Some(self.read(1)? == 1)
    }
}

const LENGTH_MAX: usize = 15;
/// The lengths of the code for lengths come in this order.
const LENGTHS_ORDER: [usize; 19] = [
    17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
];

/// A canonical prefix code. One with a single symbol takes no bits.
pub(super) struct PrefixCode {
    /// How many symbols have a code of each length.
    counts: [usize; LENGTH_MAX + 1],
    /// In the order of their codes.
    symbols: Vec<usize>,
}

impl PrefixCode {
    /// Reads a code for symbols below `alphabet`. None where it is broken.
    pub(super) fn read(bits: &mut BitReader<'_>, alphabet: usize) -> Option<Self> {
        if bits.read_flag()? {
            let symbols = read_named(bits, alphabet)?;
            let mut counts = [0; LENGTH_MAX + 1];
            counts[1] = symbols.len();
            return Some(Self { counts, symbols });
        }
        Self::of_lengths(&read_lengths(bits, alphabet)?)
    }

    /// Reads a code, and returns what it takes in the decoder, without making it.
    pub(super) fn read_decoder_bytes(bits: &mut BitReader<'_>, alphabet: usize) -> Option<u64> {
        /// Two symbols that are named are three nodes and two entries.
        const TWO_SYMBOLS_BYTES: u64 = 64;
        if bits.read_flag()? {
            read_named(bits, alphabet)?;
            return Some(TWO_SYMBOLS_BYTES);
        }
        Some(decoder_bytes(&counts(&read_lengths(bits, alphabet)?)?))
    }

    /// The code with these lengths of codes, by symbol. None where they are those of no code.
    fn of_lengths(lengths: &[u8]) -> Option<Self> {
        let counts = counts(lengths)?;
        let mut first = [0; LENGTH_MAX + 2];
        for length in 1..=LENGTH_MAX {
            first[length + 1] = first[length] + counts[length];
        }
        let mut symbols = vec![0; first[LENGTH_MAX + 1]];
        for (symbol, length) in lengths
            .iter()
            .enumerate()
            .filter(|(_, length)| **length > 0)
        {
            let place = &mut first[usize::from(*length)];
            symbols[*place] = symbol;
            *place += 1;
        }
        Some(Self { counts, symbols })
    }

    /// The symbol that takes no bits, being the only one.
    pub(super) fn only_symbol(&self) -> Option<usize> {
        match *self.symbols {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Reads a symbol.
    pub(super) fn symbol(&self, bits: &mut BitReader<'_>) -> Option<usize> {
        if let Some(only) = self.only_symbol() {
            return Some(only);
        }
        let next = bits.peek();
        let (mut code, mut first, mut before) = (0, 0, 0);
        for length in 1..=LENGTH_MAX {
            code = code << 1 | usize::from(next >> (length - 1) & 1 == 1);
            let count = self.counts[length];
            if code < first + count {
                bits.skip(length)?;
                return self.symbols.get(before + code - first).copied();
            }
            before += count;
            first = (first + count) << 1;
        }
        None
    }
}

/// One symbol or two, named.
fn read_named(bits: &mut BitReader<'_>, alphabet: usize) -> Option<Vec<usize>> {
    let has_second = bits.read_flag()?;
    let first_bits = if bits.read_flag()? { 8 } else { 1 };
    let mut symbols = vec![bits.read(first_bits)?];
    if has_second {
        symbols.push(bits.read(8)?);
    }
    let is_known = symbols.iter().all(|symbol| *symbol < alphabet);
    is_known.then_some(symbols)
}

/// The lengths of the codes for symbols below `alphabet`, by a code of their own, with runs of the last one (16) and of zeros
/// (17, 18).
fn read_lengths(bits: &mut BitReader<'_>, alphabet: usize) -> Option<Vec<u8>> {
    let mut of_lengths = [0; LENGTHS_ORDER.len()];
    let stored = 4 + bits.read(4)?;
    for symbol in LENGTHS_ORDER.iter().take(stored) {
        of_lengths[*symbol] = u8::try_from(bits.read(3)?).ok()?;
    }
    let code = PrefixCode::of_lengths(&of_lengths)?;
    let mut left = alphabet;
    if bits.read_flag()? {
        let count_bits = 2 + 2 * bits.read(3)?;
        left = 2 + bits.read(count_bits)?;
        if left > alphabet {
            return None;
        }
    }
    let mut lengths = Vec::with_capacity(alphabet);
    let mut last = 8;
    while lengths.len() < alphabet && left > 0 {
        left -= 1;
        let (length, repeats) = match u8::try_from(code.symbol(bits)?).ok()? {
            16 => (last, 3 + bits.read(2)?),
            17 => (0, 3 + bits.read(3)?),
            18 => (0, 11 + bits.read(7)?),
            length => (length, 1),
        };
        if length > 0 {
            last = length;
        }
        lengths.extend(std::iter::repeat_n(length, repeats));
    }
    (lengths.len() <= alphabet).then_some(lengths)
}

/// How many codes have each length. None where there is no such code.
fn counts(lengths: &[u8]) -> Option<[usize; LENGTH_MAX + 1]> {
    let mut counts = [0; LENGTH_MAX + 1];
    for length in lengths {
        counts[usize::from(*length)] += 1;
    }
    counts[0] = 0;
    let mut unused = 1_usize << LENGTH_MAX;
    for (length, count) in counts.iter().enumerate() {
        unused = unused.checked_sub(count << (LENGTH_MAX - length))?;
    }
    let total: usize = counts.iter().sum();
    (total == 1 || (total > 1 && unused == 0)).then_some(counts)
}

/// What the tables of `rusty_webp` 0.1.3 take for a code: four bytes for each code of up to 10 bits, and two nodes of 16 bytes
/// for each symbol with a longer one.
fn decoder_bytes(counts: &[usize; LENGTH_MAX + 1]) -> u64 {
    const TABLE_BITS: usize = 10;
    const NODE_BYTES: usize = 16;
    let longest = counts.iter().rposition(|count| *count > 0).unwrap_or(0);
    let longer: usize = counts[TABLE_BITS + 1..].iter().sum();
    ((4 << longest.min(TABLE_BITS)) + longer * 2 * NODE_BYTES) as u64
}
