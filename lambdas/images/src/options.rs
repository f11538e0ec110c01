//! What a rendition shall be like, and what making it may cost.

/// What a rendition shall be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderOptions {
    longest_edge_px: u32,
    format: RenditionFormat,
    quality: u8,
}

/// The format of a rendition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenditionFormat {
    /// That of the image where browsers show it: a GIF becomes PNG, a TIFF becomes JPEG, or PNG where it has an alpha channel.
    Same,
    /// JPEG, with what is transparent on white.
    Jpeg,
    /// PNG with 8 bits a channel.
    Png,
    /// Lossy WebP.
    WebP,
}

/// Why options are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRenderOptions {
    /// The longest edge is out of range.
    #[error("longest_edge_px is {0}: give one from 16 to 4096")]
    LongestEdge(u32),
    /// The quality is out of range.
    #[error("quality is {0}: give one from 1 to 100")]
    Quality(u8),
}

impl RenderOptions {
    /// The smallest longest edge that may be asked for.
    pub const LONGEST_EDGE_PX_MIN: u32 = 16;
    /// The largest one.
    pub const LONGEST_EDGE_PX_MAX: u32 = 4096;
    /// The quality where none is asked for.
    pub const QUALITY_DEFAULT: u8 = 80;

    /// Options within their bounds. PNG has no use for the quality.
    pub fn new(
        longest_edge_px: u32,
        format: RenditionFormat,
        quality: u8,
    ) -> Result<Self, InvalidRenderOptions> {
        let edges = Self::LONGEST_EDGE_PX_MIN..=Self::LONGEST_EDGE_PX_MAX;
        if !edges.contains(&longest_edge_px) {
            return Err(InvalidRenderOptions::LongestEdge(longest_edge_px));
        }
        if !(1..=100).contains(&quality) {
            return Err(InvalidRenderOptions::Quality(quality));
        }
        Ok(Self {
            longest_edge_px,
            format,
            quality,
        })
    }

    /// The longest edge of a rendition, in pixels. An image that is smaller keeps its size.
    pub fn longest_edge_px(&self) -> u32 {
        self.longest_edge_px
    }

    /// The format.
    pub fn format(&self) -> RenditionFormat {
        self.format
    }

    /// The quality of JPEG and WebP.
    pub fn quality(&self) -> u8 {
        self.quality
    }
}

/// What making a rendition may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderLimits {
    /// The most pixels that an image may have.
    pub pixels_max: u64,
    /// The most memory that a rendition may take, beside the object's bytes.
    pub memory_bytes_max: u64,
}

impl Default for RenderLimits {
    fn default() -> Self {
        Self {
            pixels_max: 250_000_000,
            memory_bytes_max: 1 << 30,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_out_of_range_are_refused() {
        let new = |edge, quality| RenderOptions::new(edge, RenditionFormat::Same, quality);
        assert!(new(16, 1).is_ok() && new(4096, 100).is_ok());
        assert_eq!(new(15, 80), Err(InvalidRenderOptions::LongestEdge(15)));
        assert_eq!(new(4097, 80), Err(InvalidRenderOptions::LongestEdge(4097)));
        assert_eq!(new(256, 0), Err(InvalidRenderOptions::Quality(0)));
        assert_eq!(new(256, 101), Err(InvalidRenderOptions::Quality(101)));
    }
}
