//! What a run makes of each object instead of a copy, as its input and the stack's parameter name it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::invalid;
use crate::failure::Failure;

/// The longest edge that may be asked for, in pixels.
const LONGEST_EDGES_PX: std::ops::RangeInclusive<u32> = 16..=4_096;
const QUALITIES: std::ops::RangeInclusive<u8> = 1..=100;
const QUALITY_DEFAULT: u8 = 80;
const PIXELS_MAX_DEFAULT: u64 = 250_000_000;
/// More than any file of these formats can state.
const PIXELS_MAX_MAX: u64 = 1 << 40;

const fn quality_default() -> u8 {
    QUALITY_DEFAULT
}

const fn pixels_max_default() -> u64 {
    PIXELS_MAX_DEFAULT
}

/// A rendition of each image, in the place of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transform {
    /// What is made.
    pub kind: TransformKind,
    /// The longest edge of a rendition, in pixels; an image that is smaller keeps its size.
    pub longest_edge_px: u32,
    /// The format of a rendition.
    #[serde(default)]
    pub format: TransformFormat,
    /// The quality of JPEG and WebP, 1 to 100.
    #[serde(default = "quality_default")]
    pub quality: u8,
    /// The most pixels that an image may have.
    #[serde(default = "pixels_max_default")]
    pub pixels_max: u64,
}

/// What is made of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransformKind {
    /// A smaller picture of an image.
    Thumbnail,
}

impl TransformKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Thumbnail => "thumbnail",
        }
    }
}

/// The format of a rendition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransformFormat {
    /// That of the image, where browsers show it.
    #[default]
    Same,
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
}

impl TransformFormat {
    const ALL: [Self; 4] = [Self::Same, Self::Jpeg, Self::Png, Self::Webp];

    /// The name in the input of a run.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }
}

impl Transform {
    /// Refuses numbers out of their bounds.
    ///
    /// # Errors
    /// `InvalidRun`, naming the field.
    pub(super) fn check_bounds(&self) -> Result<(), Failure> {
        let refuse = |field: &str, expected: &str, found: u64| {
            let problem = format!("expected {expected}, found {found}");
            Err(invalid(&format!("transform.{field}"), &problem))
        };
        if !LONGEST_EDGES_PX.contains(&self.longest_edge_px) {
            let found = u64::from(self.longest_edge_px);
            return refuse("longest_edge_px", "16 to 4096", found);
        }
        if !QUALITIES.contains(&self.quality) {
            return refuse("quality", "1 to 100", u64::from(self.quality));
        }
        if !(1..=PIXELS_MAX_MAX).contains(&self.pixels_max) {
            return refuse("pixels_max", "1 to 2^40", self.pixels_max);
        }
        Ok(())
    }

    /// Whether both make the same of an image that neither finds too large.
    #[must_use]
    pub fn makes_the_same_as(&self, other: &Self) -> bool {
        let bounded = Self {
            pixels_max: other.pixels_max,
            ..*self
        };
        bounded == *other
    }
}

impl fmt::Display for Transform {
    /// As [`FromStr`] reads it: `thumbnail:256,format=same,quality=80,pixels_max=250000000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{},format={},quality={},pixels_max={}",
            self.kind.name(),
            self.longest_edge_px,
            self.format.name(),
            self.quality,
            self.pixels_max
        )
    }
}

impl FromStr for Transform {
    type Err = String;

    /// Reads `thumbnail:<longest edge in pixels>`, followed by any of `,format=…`, `,quality=…` and `,pixels_max=…`, each at
    /// most once.
    fn from_str(text: &str) -> Result<Self, String> {
        let form = "expected thumbnail:<longest edge in pixels>[,format=same|jpeg|png|webp][,quality=1 to 100][,pixels_max=…], for example thumbnail:256,format=webp";
        let mut parts = text.split(',');
        let edge = parts
            .next()
            .and_then(|part| part.strip_prefix("thumbnail:"));
        let edge = edge.and_then(|edge| edge.parse().ok());
        let mut transform = Self {
            kind: TransformKind::Thumbnail,
            longest_edge_px: edge.ok_or(form)?,
            format: TransformFormat::default(),
            quality: QUALITY_DEFAULT,
            pixels_max: PIXELS_MAX_DEFAULT,
        };
        let mut seen = Vec::new();
        for part in parts {
            let (name, value) = part.split_once('=').ok_or(form)?;
            if seen.contains(&name) {
                return Err(format!("{name} is given twice; {form}"));
            }
            seen.push(name);
            match name {
                "format" => {
                    let named = TransformFormat::ALL
                        .into_iter()
                        .find(|it| it.name() == value);
                    transform.format = named.ok_or(form)?;
                }
                "quality" => transform.quality = value.parse().map_err(|_| form)?,
                "pixels_max" => transform.pixels_max = value.parse().map_err(|_| form)?,
                _ => return Err(form.to_owned()),
            }
        }
        transform
            .check_bounds()
            .map_err(|failure| failure.detail)
            .map(|()| transform)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Transform, String> {
        text.parse()
    }

    #[test]
    fn the_short_form_is_read_back_and_wrong_ones_are_refused_with_an_example() {
        for text in [
            "thumbnail:256",
            "thumbnail:16,format=webp",
            "thumbnail:4096,quality=1,format=png,pixels_max=1",
        ] {
            let transform = parse(text).unwrap();
            assert_eq!(parse(&transform.to_string()), Ok(transform), "{text}");
        }
        for wrong in [
            "",
            "256",
            "thumbnail",
            "thumbnail:",
            "thumbnail:x",
            "poster:256",
            "thumbnail:256,",
            "thumbnail:256,format=gif",
            "thumbnail:256,quality=x",
            "thumbnail:256,size=1",
        ] {
            assert!(
                parse(wrong).unwrap_err().contains("thumbnail:256"),
                "{wrong}"
            );
        }
        assert!(parse("thumbnail:15").unwrap_err().contains("16 to 4096"));
        assert!(
            parse("thumbnail:64,quality=101")
                .unwrap_err()
                .contains("1 to 100")
        );
        assert!(
            parse("thumbnail:64,quality=1,quality=1")
                .unwrap_err()
                .contains("twice")
        );
    }

    #[test]
    fn what_an_image_may_have_changes_no_rendition() {
        let one = parse("thumbnail:64").unwrap();
        assert!(one.makes_the_same_as(&parse("thumbnail:64,pixels_max=9").unwrap()));
        for other in [
            "thumbnail:65",
            "thumbnail:64,format=png",
            "thumbnail:64,quality=79",
        ] {
            assert!(!one.makes_the_same_as(&parse(other).unwrap()), "{other}");
        }
    }
}
