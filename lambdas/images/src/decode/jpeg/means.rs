//! A JPEG file without its details: of each block of 8 x 8 pixels the mean alone.
//!
//! The decoder takes data that ends early for zeros, so a file that was cut off and closed again has a grey rest. Who passes over
//! the codes of all blocks, and computes nothing, sees whether they are all there. On the way, the codes of the means are copied
//! into a file of their own, which the decoder reads in a fraction of the time.

use super::{
    huffman::{HuffmanTable, HuffmanTables},
    scan_bits::{ScanReader, ScanWriter},
    segments::{self, BROKEN, CUT_OFF, JpegSegments},
};
use crate::failure::RenderFailure;

/// The file without its details, whose blocks were all found. None where it uses tables that it does not define.
pub(super) fn means_only(
    bytes: &[u8],
    segments: &JpegSegments,
) -> Result<Option<Vec<u8>>, RenderFailure> {
    let mut tables = HuffmanTables::default();
    let mut restart_interval = 0;
    let mut means = Vec::new();
    let (mut at, mut copied) = (2, 0);
    loop {
        let (start, marker) = segments::next_marker(bytes, at)?;
        at = start + 2;
        match marker {
            0xd9 => break,
            0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let segment = segments::segment(bytes, at)?;
        at += 2 + segment.len();
        match (marker, segment) {
            (0xc4, _) => {
                let defined = tables.define(segment);
                if defined.is_none() {
                    return Ok(None);
                }
            }
            (0xdd, [high, low, ..]) => restart_interval = u16::from_be_bytes([*high, *low]),
            (0xda, _) => {
                means.extend_from_slice(&bytes[copied..start]);
                let Some(scan) = Scan::read(segment, segments, &tables) else {
                    return Ok(None);
                };
                copied = segments::end_of_scan(bytes, at)?;
                match scan.kind {
                    ScanKind::Details => {}
                    ScanKind::Means | ScanKind::MeansRefined => {
                        scan.read_blocks(
                            &bytes[at..],
                            restart_interval,
                            &mut ScanWriter::default(),
                        )?;
                        means.extend_from_slice(&bytes[start..copied]);
                    }
                    ScanKind::Whole => {
                        scan.define_no_details(&mut means);
                        means.extend_from_slice(&bytes[start..at]);
                        let mut writer = ScanWriter::default();
                        scan.read_blocks(&bytes[at..], restart_interval, &mut writer)?;
                        writer.flush();
                        means.append(&mut writer.bytes);
                    }
                }
                at = copied;
            }
            _ => {}
        }
    }
    means.extend_from_slice(&bytes[copied..segments.end]);
    Ok(Some(means))
}

/// What the codes of a scan hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ScanKind {
    /// All of each block.
    Whole,
    /// Of a progressive file: the means.
    Means,
    /// One more bit of each mean.
    MeansRefined,
    /// Anything else.
    Details,
}

/// A component in a scan.
struct ScanComponent {
    /// In each unit.
    blocks: u32,
    /// None in a scan that refines means, or holds details alone.
    means: Option<Box<HuffmanTable>>,
    /// None in a scan of means.
    details: Option<Box<HuffmanTable>>,
    /// The number of the table of details.
    details_number: u8,
}

struct Scan {
    kind: ScanKind,
    /// What the restart interval counts: blocks of all components, or one block where there is one component.
    units: u32,
    components: Vec<ScanComponent>,
}

impl Scan {
    fn read(header: &[u8], segments: &JpegSegments, tables: &HuffmanTables<'_>) -> Option<Self> {
        let (count, rest) = header.split_first()?;
        let (selectors, spectrum) = rest.split_at_checked(usize::from(*count) * 2)?;
        let [first, _, approximation, ..] = *spectrum else {
            return None;
        };
        let kind = match (segments.is_progressive, first, approximation >> 4) {
            (false, ..) => ScanKind::Whole,
            (true, 0, 0) => ScanKind::Means,
            (true, 0, _) => ScanKind::MeansRefined,
            (true, ..) => ScanKind::Details,
        };
        let (selectors, _) = selectors.as_chunks::<2>();
        if selectors.len() > segments.components.len() {
            return None;
        }
        let is_interleaved = selectors.len() > 1;
        let mut components = Vec::with_capacity(selectors.len());
        let mut units = segments.units();
        for [id, table] in selectors {
            let component = segments.components.iter().find(|found| found.id == *id)?;
            if !is_interleaved {
                units = segments.blocks(component);
            }
            let details_number = table & 15;
            let (means, details) = match kind {
                ScanKind::Whole => (
                    Some(tables.means(table >> 4)?),
                    Some(tables.details(details_number)?),
                ),
                ScanKind::Means => (Some(tables.means(table >> 4)?), None),
                ScanKind::MeansRefined | ScanKind::Details => (None, None),
            };
            components.push(ScanComponent {
                blocks: if is_interleaved {
                    component.blocks()
                } else {
                    1
                },
                means,
                details,
                details_number,
            });
        }
        Some(Self {
            kind,
            units,
            components,
        })
    }

    /// Defines tables for details with one code, of one bit: that there are none.
    fn define_no_details(&self, file: &mut Vec<u8>) {
        for component in &self.components {
            file.extend([0xff, 0xc4, 0, 20, 0x10 | component.details_number, 1]);
            file.extend([0; 15 + 1]);
        }
    }

    /// Passes over all blocks, and writes their means.
    fn read_blocks(
        &self,
        mut data: &[u8],
        restart_interval: u16,
        means: &mut ScanWriter,
    ) -> Result<(), RenderFailure> {
        let interval = match restart_interval {
            0 => u32::MAX,
            interval => interval.into(),
        };
        let mut bits = ScanReader::default();
        let mut left = self.units;
        let mut restart = 0;
        loop {
            let (end, marker) = bits.fill(data)?;
            for _ in 0..left.min(interval) {
                for component in &self.components {
                    for _ in 0..component.blocks {
                        self.read_block(component, &mut bits, means)?;
                    }
                }
            }
            left -= left.min(interval);
            if left == 0 {
                return Ok(());
            }
            if marker != 0xd0 + restart {
                return Err(if matches!(marker, 0xd0..=0xd7) {
                    BROKEN
                } else {
                    CUT_OFF
                });
            }
            means.flush();
            means.bytes.extend([0xff, marker]);
            restart = (restart + 1) % 8;
            data = &data[end + 2..];
        }
    }

    #[inline]
    fn read_block(
        &self,
        component: &ScanComponent,
        bits: &mut ScanReader,
        means: &mut ScanWriter,
    ) -> Result<(), RenderFailure> {
        /// Of a code and the number behind it.
        const STEP_BITS_MAX: u32 = 31;
        let Some(mean) = &component.means else {
            return bits.skip(1);
        };
        let mut next = bits.peek()?;
        let mean = mean.step(next).ok_or(BROKEN)?;
        let mut used = u32::from(mean.bits);
        let Some(details) = &component.details else {
            return bits.skip(used);
        };
        means.put(next >> (64 - used), used);
        // That there are no details.
        means.put(0, 1);
        next <<= used;
        let mut coefficient = 1;
        while coefficient < 64 {
            if used + STEP_BITS_MAX > ScanReader::PEEKED {
                bits.skip(used)?;
                next = bits.peek()?;
                used = 0;
            }
            let step = details.step(next).ok_or(BROKEN)?;
            next <<= step.bits;
            used += u32::from(step.bits);
            coefficient += step.coefficients;
        }
        bits.skip(used)
    }
}

#[cfg(test)]
mod tests {
    use jpeg_decoder::Decoder;
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

    use super::*;

    const EDGES: [u16; 2] = [203, 117];

    fn jpeg(colours: ColorType, set: impl Fn(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
        let pixels = usize::from(EDGES[0]) * usize::from(EDGES[1]);
        let bytes = match colours {
            ColorType::Luma => pixels,
            ColorType::Rgb => pixels * 3,
            _ => pixels * 4,
        };
        let mut random = fastrand::Rng::with_seed(1);
        let pixels: Vec<u8> = (0..bytes)
            .map(|at| u8::try_from(at / 700 % 200).unwrap() + random.u8(..50))
            .collect();
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, 90);
        set(&mut encoder);
        encoder
            .encode(&pixels, EDGES[0], EDGES[1], colours)
            .unwrap();
        file
    }

    fn at_an_eighth(file: &[u8]) -> Vec<u8> {
        let mut decoder = Decoder::new(file);
        decoder.scale(1, 1).unwrap();
        decoder.decode().unwrap()
    }

    /// Whatever the file: reduced to an eighth, no pixel shows that its details are gone.
    #[test]
    fn means_alone_are_the_same_picture_at_an_eighth() {
        // In one scan, and, where chroma is a quarter as wide or tables are its own, in one for each colour.
        let samplings = [
            SamplingFactor::F_1_1,
            SamplingFactor::F_2_1,
            SamplingFactor::F_1_2,
            SamplingFactor::F_2_2,
            SamplingFactor::F_4_1,
            SamplingFactor::F_4_2,
        ];
        // The encoder forgets the restarts when it makes tables, which then lack codes.
        let restarts_and_tables = [(0, false), (1, false), (7, false), (0, true)];
        for sampling in samplings {
            for colours in [ColorType::Luma, ColorType::Rgb, ColorType::CmykAsYcck] {
                for (restart_interval, has_own_tables) in restarts_and_tables {
                    for is_progressive in [false, true] {
                        let file = jpeg(colours, |encoder| {
                            encoder.set_sampling_factor(sampling);
                            encoder.set_optimized_huffman_tables(has_own_tables);
                            encoder.set_restart_interval(restart_interval);
                            encoder.set_progressive(is_progressive);
                        });
                        let segments = JpegSegments::read(&file).unwrap();
                        let means = means_only(&file, &segments).unwrap().unwrap();
                        assert!(means.len() < file.len());
                        assert!(
                            at_an_eighth(&means) == at_an_eighth(&file),
                            "{sampling:?}, {colours:?}, {restart_interval}, {has_own_tables}, {is_progressive}"
                        );
                    }
                }
            }
        }
    }
}
