//! The format of an image, known by its first bytes.

use crate::failure::RenderFailure;

/// A format that is read. Names and content types of objects say nothing: people and programs set them wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageFormat {
    /// JPEG, and the first image of an MPO file.
    Jpeg,
    /// PNG, and the default image of an APNG file.
    Png,
    /// WebP, and the first frame of an animation.
    WebP,
    /// The first frame of a GIF.
    Gif,
    /// The first image of a TIFF or BigTIFF.
    Tiff,
}

/// Images of other formats, so that a person sees why they have no rendition. The marks stand at these offsets.
const NOT_RENDERED: [(usize, &[u8], &str); 9] = [
    (4, b"ftyp", "HEIF, AVIF and video are not rendered"),
    (0, b"BM", "BMP is not rendered"),
    (0, b"8BPS", "Photoshop files are not rendered"),
    (0, b"\xff\x0a", "JPEG XL is not rendered"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL is not rendered"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000 is not rendered"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000 is not rendered"),
    (0, b"\0\0\x01\0", "icons are not rendered"),
    (0, b"%PDF", "PDF is not rendered"),
];

impl ImageFormat {
    /// The format of what begins with these bytes.
    pub fn of(bytes: &[u8]) -> Result<Self, RenderFailure> {
        match bytes {
            [] => Err(RenderFailure::NotAnImage("the object is empty")),
            [0xff, 0xd8, 0xff, ..] => Ok(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Ok(Self::Png),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Ok(Self::WebP),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(Self::Gif),
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Ok(Self::Tiff),
            _ => {
                let known = NOT_RENDERED
                    .iter()
                    .find(|(at, mark, _)| bytes.get(*at..).is_some_and(|b| b.starts_with(mark)));
                let reason = known.map_or("the object is no image", |(_, _, reason)| reason);
                Err(RenderFailure::NotAnImage(reason))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_decide() {
        assert_eq!(ImageFormat::of(b"GIF89a"), Ok(ImageFormat::Gif));
        assert_eq!(ImageFormat::of(b"MM\0\x2a"), Ok(ImageFormat::Tiff));
        assert_eq!(ImageFormat::of(b"RIFF....WEBPVP8 "), Ok(ImageFormat::WebP));
        for (bytes, reason) in [
            (&b""[..], "the object is empty"),
            (b"\xff\xd8", "the object is no image"),
            (b"<svg/>", "the object is no image"),
            (
                b"\0\0\0\x20ftypheic",
                "HEIF, AVIF and video are not rendered",
            ),
        ] {
            assert_eq!(
                ImageFormat::of(bytes),
                Err(RenderFailure::NotAnImage(reason))
            );
        }
    }
}
