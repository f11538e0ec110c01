//! Huffman codes of JPEG, read only as far as to know how many bits a coefficient takes and which one comes next.
//!
//! Source: ITU-T T.81, annexes C and F.2.2.

/// Codes of up to as many bits are found in one step.
const FAST_BITS: u8 = 11;

/// What a code says.
#[derive(Clone, Copy, Default)]
pub(super) struct CodeStep {
    /// The bits of the code and of the number behind it. Zero where the code is longer than [`FAST_BITS`], or none.
    pub(super) bits: u8,
    /// How many coefficients it passes.
    pub(super) coefficients: u8,
}

/// What codes are for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// The mean of a block.
    Mean,
    /// The coefficients above it.
    Details,
}

impl Class {
    /// A symbol, with the length of its code. None where no baseline file has it.
    fn step(self, symbol: u8, length: u8) -> Option<CodeStep> {
        let (run, size) = (symbol >> 4, symbol & 15);
        let coefficients = match (self, run, size) {
            (Self::Mean, 0, ..=11) => 1,
            (Self::Mean, ..) => return None,
            (Self::Details, 15, 0) => 16,
            // The rest of the block is zeros.
            (Self::Details, _, 0) => 64,
            (Self::Details, ..) => run + 1,
        };
        Some(CodeStep {
            bits: length + size,
            coefficients,
        })
    }
}

/// A table of codes.
pub(super) struct HuffmanTable {
    class: Class,
    fast: [CodeStep; 1 << FAST_BITS],
    /// How many codes have each length, from 1.
    counts: [u8; 16],
    /// In the order of their codes.
    symbols: Vec<u8>,
}

impl HuffmanTable {
    fn new(class: Class, counts: [u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut fast = [CodeStep::default(); 1 << FAST_BITS];
        let mut code = 0_usize;
        let mut rest = symbols.iter();
        for (length, count) in (1..).zip(counts) {
            for symbol in rest.by_ref().take(usize::from(count)) {
                if code >> length > 0 {
                    return None;
                }
                if length <= FAST_BITS
                    && let Some(step) = class.step(*symbol, length)
                {
                    let unused = FAST_BITS - length;
                    fast[code << unused..(code + 1) << unused].fill(step);
                }
                code += 1;
            }
            code <<= 1;
        }
        Some(Self {
            class,
            fast,
            counts,
            symbols: symbols.to_vec(),
        })
    }

    /// What the code at the upper end of these bits says. None if it is none.
    #[inline]
    pub(super) fn step(&self, bits: u64) -> Option<CodeStep> {
        let step = self.fast[(bits >> (64 - FAST_BITS)) as usize];
        if step.bits > 0 {
            Some(step)
        } else {
            self.slow_step(bits)
        }
    }

    #[cold]
    fn slow_step(&self, bits: u64) -> Option<CodeStep> {
        let (mut first, mut before) = (0, 0);
        for (length, count) in (1..).zip(self.counts) {
            let code = usize::try_from(bits >> (64 - length)).ok()?;
            let count = usize::from(count);
            if code < first + count {
                let symbol = self.symbols.get(before + code.checked_sub(first)?)?;
                return self.class.step(*symbol, length);
            }
            before += count;
            first = (first + count) << 1;
        }
        None
    }
}

/// The tables that are defined at a place in the file, as they are stored: they are made when a scan uses them, since a file
/// may define far more than it has scans.
#[derive(Default)]
pub(super) struct HuffmanTables<'a> {
    means: [Option<StoredTable<'a>>; 4],
    details: [Option<StoredTable<'a>>; 4],
}

#[derive(Clone, Copy)]
struct StoredTable<'a> {
    counts: [u8; 16],
    symbols: &'a [u8],
}

impl<'a> HuffmanTables<'a> {
    /// Takes over the tables of a segment. None where one is broken.
    pub(super) fn define(&mut self, mut segment: &'a [u8]) -> Option<()> {
        while let Some((head, rest)) = segment.split_first_chunk::<17>() {
            let [selector, counts @ ..] = *head;
            let length = counts.iter().map(|count| usize::from(*count)).sum();
            let (symbols, rest) = rest.split_at_checked(length)?;
            let tables = match selector >> 4 {
                0 => &mut self.means,
                1 => &mut self.details,
                _ => return None,
            };
            let table = tables.get_mut(usize::from(selector & 15))?;
            *table = Some(StoredTable { counts, symbols });
            segment = rest;
        }
        Some(())
    }

    /// The table for means with this number.
    pub(super) fn means(&self, number: u8) -> Option<Box<HuffmanTable>> {
        Self::make(&self.means, number, Class::Mean)
    }

    /// The table for details with this number.
    pub(super) fn details(&self, number: u8) -> Option<Box<HuffmanTable>> {
        Self::make(&self.details, number, Class::Details)
    }

    fn make(
        tables: &[Option<StoredTable<'_>>],
        number: u8,
        class: Class,
    ) -> Option<Box<HuffmanTable>> {
        let stored = tables.get(usize::from(number)).copied().flatten()?;
        HuffmanTable::new(class, stored.counts, stored.symbols).map(Box::new)
    }
}
