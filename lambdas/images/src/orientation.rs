//! Which way up an image is.

use exif::{Exif, In, Reader, Tag};

use crate::{guard::guarded, raster::Raster};

/// How the stored rows and columns lie, by the numbers of EXIF and TIFF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Orientation {
    /// The picture is turned by a quarter: what is stored as a row is a column.
    transposed: bool,
    /// After that, each row is reversed.
    mirrored: bool,
    /// After that, the rows are.
    flipped: bool,
}

impl Orientation {
    /// From the value of the tag. What is not from 1 to 8 means nothing.
    pub(crate) fn from_tag(value: u32) -> Self {
        let (transposed, mirrored, flipped) = match value {
            2 => (false, true, false),
            3 => (false, true, true),
            4 => (false, false, true),
            5 => (true, false, false),
            6 => (true, true, false),
            7 => (true, true, true),
            8 => (true, false, true),
            _ => (false, false, false),
        };
        Self {
            transposed,
            mirrored,
            flipped,
        }
    }

    /// From EXIF data (a TIFF structure), broken or not: a wrong tag elsewhere does not turn a picture.
    pub(crate) fn from_exif(data: &[u8]) -> Self {
        // Of JPEG's segment alone, but some programs write it into WebP and PNG, too.
        let data = data.strip_prefix(b"Exif\0\0").unwrap_or(data);
        let read = || {
            let read = Reader::new()
                .continue_on_error(true)
                .read_raw(data.to_vec())
                .or_else(|error| error.distill_partial_result(|_| {}));
            let field = |exif: Exif| {
                let field = exif.get_field(Tag::Orientation, In::PRIMARY)?;
                field.value.get_uint(0)
            };
            Ok(read.ok().and_then(field))
        };
        let tag = guarded(read).ok().flatten();
        tag.map_or_else(Self::default, Self::from_tag)
    }

    /// The picture as it is to be seen.
    pub(crate) fn apply(self, raster: Raster) -> Raster {
        if self == Self::default() {
            return raster;
        }
        let channels = raster.channels.count();
        let (stored_width, stored_height) = (raster.width as usize, raster.height as usize);
        let (width, height) = if self.transposed {
            (stored_height, stored_width)
        } else {
            (stored_width, stored_height)
        };
        let mut data = Vec::with_capacity(raster.data.len());
        for y in 0..height {
            for x in 0..width {
                let x = if self.mirrored { width - 1 - x } else { x };
                let y = if self.flipped { height - 1 - y } else { y };
                let (x, y) = if self.transposed { (y, x) } else { (x, y) };
                let at = (y * stored_width + x) * channels;
                data.extend_from_slice(&raster.data[at..at + channels]);
            }
        }
        let (width, height) = if self.transposed {
            (raster.height, raster.width)
        } else {
            (raster.width, raster.height)
        };
        Raster {
            width,
            height,
            data,
            ..raster
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Channels;

    /// Of the letter F, whose upper left corner is 1 and whose upper right corner is 2; below these are 3 and 4, 5 and 6.
    #[test]
    fn every_orientation_is_undone() {
        for (tag, stored) in [
            (1, [[1, 2, 3, 4, 5, 6], [2, 3, 0, 0, 0, 0]]),
            (2, [[2, 1, 4, 3, 6, 5], [2, 3, 0, 0, 0, 0]]),
            (3, [[6, 5, 4, 3, 2, 1], [2, 3, 0, 0, 0, 0]]),
            (4, [[5, 6, 3, 4, 1, 2], [2, 3, 0, 0, 0, 0]]),
            (5, [[1, 3, 5, 2, 4, 6], [3, 2, 0, 0, 0, 0]]),
            (6, [[2, 4, 6, 1, 3, 5], [3, 2, 0, 0, 0, 0]]),
            (7, [[6, 4, 2, 5, 3, 1], [3, 2, 0, 0, 0, 0]]),
            (8, [[5, 3, 1, 6, 4, 2], [3, 2, 0, 0, 0, 0]]),
        ] {
            let raster = Raster {
                width: stored[1][0].into(),
                height: stored[1][1].into(),
                channels: Channels::Grey,
                data: stored[0].to_vec(),
            };
            let seen = Orientation::from_tag(tag).apply(raster);
            assert_eq!((seen.width, seen.height), (2, 3), "{tag}");
            assert_eq!(seen.data, [1, 2, 3, 4, 5, 6], "{tag}");
        }
    }

    #[test]
    fn other_values_and_broken_data_mean_nothing() {
        assert_eq!(Orientation::from_tag(0), Orientation::default());
        assert_eq!(Orientation::from_tag(9), Orientation::default());
        assert_eq!(Orientation::from_exif(b""), Orientation::default());
        assert_eq!(
            Orientation::from_exif(b"II*\0\xff\xff\xff\xff"),
            Orientation::default()
        );
    }
}
