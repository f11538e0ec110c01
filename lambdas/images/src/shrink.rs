//! Reduces rows by a whole factor as they are decoded, so that a large image is never held whole where its format gives it
//! row by row.
//!
//! The mean over squares comes first and Lanczos only for the last factor of two to four, as libvips does: it costs a pass
//! over bytes that are in the cache anyway, and looks like Lanczos alone.

use crate::raster::{Channels, Raster, Size};

/// Sums of 64 x 64 pixels times alpha stay far below 2^32.
const FACTOR_MAX: u32 = 64;

/// The factor that leaves at least twice the longest edge of the rendition to Lanczos.
pub(crate) fn factor(full: Size, edge: u32) -> u32 {
    (full.longest_edge() / (2 * edge)).clamp(1, FACTOR_MAX)
}

/// What it holds at most, with the row that is handed over.
pub(crate) fn memory_bytes(full: Size, channels: u64, edge: u32) -> u64 {
    let reduced = full.reduced(factor(full, edge));
    // A row, and a row of sums.
    reduced.pixels() * channels + u64::from(full.width) * channels * 5
}

/// Takes rows, from the first to the last, and makes a smaller raster of them.
pub(crate) struct RowShrinker {
    full: Size,
    factor: u32,
    channels: Channels,
    /// For each byte of a row, the sum over the rows so far; colours times alpha.
    sums: Vec<u32>,
    rows_summed: u32,
    data: Vec<u8>,
}

impl RowShrinker {
    pub(crate) fn new(full: Size, channels: Channels, edge: u32) -> Self {
        Self::by(factor(full, edge), full, channels)
    }

    /// One that reduces by this factor.
    pub(crate) fn by(factor: u32, full: Size, channels: Channels) -> Self {
        let reduced = full.reduced(factor);
        let row_bytes = full.width as usize * channels.count();
        let bytes = reduced.width as usize * reduced.height as usize * channels.count();
        Self {
            full,
            factor,
            channels,
            sums: vec![0; if factor > 1 { row_bytes } else { 0 }],
            rows_summed: 0,
            data: Vec::with_capacity(bytes),
        }
    }

    pub(crate) fn factor(&self) -> u32 {
        self.factor
    }

    /// Adds a row, which is as wide as the image.
    pub(crate) fn push(&mut self, row: &[u8]) {
        debug_assert_eq!(row.len(), self.full.width as usize * self.channels.count());
        if self.factor == 1 {
            self.data.extend_from_slice(row);
            return;
        }
        match self.channels {
            Channels::GreyAlpha => add_with_alpha::<2>(&mut self.sums, row),
            Channels::Rgba => add_with_alpha::<4>(&mut self.sums, row),
            Channels::Grey | Channels::Rgb | Channels::Cmyk => {
                for (sum, byte) in self.sums.iter_mut().zip(row) {
                    *sum += u32::from(*byte);
                }
            }
        }
        self.rows_summed += 1;
        if self.rows_summed == self.factor {
            self.write_row();
        }
    }

    /// The raster, when the last row was added.
    pub(crate) fn finish(mut self) -> Raster {
        if self.rows_summed > 0 {
            self.write_row();
        }
        let reduced = self.full.reduced(self.factor);
        Raster {
            width: reduced.width,
            height: reduced.height,
            channels: self.channels,
            data: self.data,
        }
    }

    fn write_row(&mut self) {
        match self.channels {
            Channels::Grey => self.write_means::<1>(),
            Channels::GreyAlpha => self.write_means_with_alpha::<2>(),
            Channels::Rgb => self.write_means::<3>(),
            Channels::Rgba => self.write_means_with_alpha::<4>(),
            Channels::Cmyk => self.write_means::<4>(),
        }
        self.sums.fill(0);
        self.rows_summed = 0;
    }

    fn write_means<const N: usize>(&mut self) {
        for square in self.sums.chunks(self.factor as usize * N) {
            let (sums, pixels) = sum_of::<N>(square);
            let count = pixels * self.rows_summed;
            self.data.extend(sums.map(|sum| mean(sum, count)));
        }
    }

    /// The mean of the colours weighs each by its alpha, so that what cannot be seen has no part in it.
    fn write_means_with_alpha<const N: usize>(&mut self) {
        for square in self.sums.chunks(self.factor as usize * N) {
            let (sums, pixels) = sum_of::<N>(square);
            let alpha = sums[N - 1];
            let mut means = sums.map(|sum| if alpha == 0 { 0 } else { mean(sum, alpha) });
            means[N - 1] = mean(alpha, pixels * self.rows_summed);
            self.data.extend(means);
        }
    }
}

fn add_with_alpha<const N: usize>(sums: &mut [u32], row: &[u8]) {
    let (sums, _) = sums.as_chunks_mut::<N>();
    let (pixels, _) = row.as_chunks::<N>();
    for (sum, pixel) in sums.iter_mut().zip(pixels) {
        let alpha = u32::from(pixel[N - 1]);
        for channel in 0..N - 1 {
            sum[channel] += u32::from(pixel[channel]) * alpha;
        }
        sum[N - 1] += alpha;
    }
}

/// The sum of these pixels by channel, and their number.
fn sum_of<const N: usize>(pixels: &[u32]) -> ([u32; N], u32) {
    let mut sums = [0; N];
    let mut count = 0;
    for pixel in pixels.as_chunks::<N>().0 {
        for channel in 0..N {
            sums[channel] += pixel[channel];
        }
        count += 1;
    }
    (sums, count)
}

fn mean(sum: u32, count: u32) -> u8 {
    u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_become_their_mean_and_edges_what_is_left() {
        let full = Size {
            width: 65,
            height: 3,
        };
        let mut shrinker = RowShrinker::new(full, Channels::Grey, 16);
        assert_eq!(shrinker.factor(), 2);
        for row in [[10; 65], [20; 65], [99; 65]] {
            shrinker.push(&row);
        }
        let raster = shrinker.finish();
        assert_eq!((raster.width, raster.height), (33, 2));
        assert_eq!(raster.data, [[15; 33], [99; 33]].concat());
    }

    #[test]
    fn what_is_transparent_has_no_colour() {
        let full = Size {
            width: 64,
            height: 1,
        };
        let mut shrinker = RowShrinker::new(full, Channels::Rgba, 16);
        shrinker.push(&[[200, 100, 50, 255], [0, 255, 0, 0]].concat().repeat(32));
        assert_eq!(shrinker.finish().data, [200, 100, 50, 128].repeat(32));
    }

    #[test]
    fn the_largest_sums_fit() {
        let full = Size {
            width: 8192,
            height: 64,
        };
        let mut shrinker = RowShrinker::new(full, Channels::GreyAlpha, 16);
        assert_eq!(shrinker.factor(), FACTOR_MAX);
        for _ in 0..64 {
            shrinker.push(&[255; 16384]);
        }
        assert_eq!(shrinker.finish().data, [255; 256]);
    }
}
