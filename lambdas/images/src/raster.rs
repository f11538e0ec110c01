//! Decoded pixels.

/// What the bytes of a pixel are, 8 bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channels {
    Grey,
    GreyAlpha,
    Rgb,
    Rgba,
    /// 255 is full ink.
    Cmyk,
}

impl Channels {
    pub(crate) fn count(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba | Self::Cmyk => 4,
        }
    }

    pub(crate) fn has_alpha(self) -> bool {
        matches!(self, Self::GreyAlpha | Self::Rgba)
    }
}

/// Pixels in rows without gaps.
#[derive(Debug)]
pub(crate) struct Raster {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) channels: Channels,
    pub(crate) data: Vec<u8>,
}

/// A width and a height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Size {
    pub(crate) fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    pub(crate) fn longest_edge(self) -> u32 {
        self.width.max(self.height)
    }

    /// This size reduced by a factor, with what is left over at the edges.
    pub(crate) fn reduced(self, factor: u32) -> Self {
        Self {
            width: self.width.div_ceil(factor),
            height: self.height.div_ceil(factor),
        }
    }

    /// The largest size of the same proportion whose longest edge is this one, or itself where it is no larger. Rounded to the
    /// nearest, as sharp does, and never to nothing.
    pub(crate) fn within(self, edge: u32) -> Self {
        let longest = self.longest_edge();
        if longest <= edge {
            return self;
        }
        let scaled = |length: u32| {
            let (length, edge, longest) = (u64::from(length), u64::from(edge), u64::from(longest));
            let rounded = (2 * length * edge + longest) / (2 * longest);
            u32::try_from(rounded.max(1)).expect("shorter than before")
        };
        Self {
            width: scaled(self.width),
            height: scaled(self.height),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(width: u32, height: u32, edge: u32) -> (u32, u32) {
        let size = Size { width, height }.within(edge);
        (size.width, size.height)
    }

    #[test]
    fn the_proportion_is_kept_and_nothing_is_enlarged() {
        assert_eq!(within(4000, 3000, 256), (256, 192));
        assert_eq!(within(3000, 4000, 256), (192, 256));
        assert_eq!(within(100, 50, 256), (100, 50));
        assert_eq!(within(300, 1, 256), (256, 1));
        assert_eq!(within(10_000, 3, 16), (16, 1));
        // 27.5 and 27.49
        assert_eq!(within(1024, 110, 256), (256, 28));
        assert_eq!(within(10_240, 1099, 256), (256, 27));
        assert_eq!(within(u32::MAX, u32::MAX, 4096), (4096, 4096));
    }
}
