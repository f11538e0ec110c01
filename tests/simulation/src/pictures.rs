//! Stories of pictures: what their objects hold, and what a run with a transform makes of each.

use std::{cell::RefCell, collections::HashMap};

use serde_json::{Value, json};
use shardlift_images::{RenderFailure, RenderLimits, RenderOptions, RenditionFormat, render};
use shardlift_testkit::{StoredObject, content_of};

/// Wider than the renditions of a story, so that each is resized.
const WIDTH: u16 = 20;
const HEIGHT: u16 = 10;
/// Of a picture. An object of a picture that is smaller is cut off, and what a larger one has besides does no harm.
pub const PICTURE_BYTES: u64 = 8 + 2 + 12 * 9 + 4 + WIDTH as u64 * HEIGHT as u64;

/// What becomes of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// An object with this content and size at the target.
    Object {
        /// What it holds.
        content: String,
        /// Its size.
        size_bytes: u64,
    },
    /// It is skipped: no image.
    NoImage,
    /// It fails: a broken image.
    Broken,
}

impl Arrival {
    /// Whether an object of the target is that.
    #[must_use]
    pub fn is(&self, at_target: &StoredObject) -> bool {
        *self
            == Self::Object {
                content: at_target.content.clone(),
                size_bytes: at_target.attributes.size_bytes,
            }
    }
}

/// Whether a seed's story is one of pictures: every tenth.
#[must_use]
pub fn is_of(seed: u64) -> bool {
    seed % 10 == 8
}

/// The transforms of the stories: the one that most runs ask for, and another one.
#[must_use]
pub fn transforms() -> [Value; 2] {
    [
        json!({"kind": "thumbnail", "longest_edge_px": 16}),
        json!({"kind": "thumbnail", "longest_edge_px": 18, "format": "png"}),
    ]
}

/// The bytes of a content that is a picture: a grey TIFF, another one for each name. Nothing for the others.
#[must_use]
pub fn picture_of(content: &str) -> Option<Vec<u8>> {
    let number = content.bytes().fold(7_u32, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    (number % 8 != 0).then(|| tiff(number))
}

fn tiff(number: u32) -> Vec<u8> {
    const SHORT: u16 = 3;
    let pixels_at = u32::try_from(PICTURE_BYTES).unwrap_or(0) - u32::from(WIDTH * HEIGHT);
    let entries: [(u16, u32); 9] = [
        (256, WIDTH.into()),
        (257, HEIGHT.into()),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, pixels_at),
        (277, 1),
        (278, HEIGHT.into()),
        (279, (WIDTH * HEIGHT).into()),
    ];
    let mut bytes = b"II*\0\x08\0\0\0\x09\0".to_vec();
    for (tag, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(SHORT.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    let shade = |at: u32| {
        (number / 8)
            .wrapping_add(at * (1 + number % 5))
            .to_le_bytes()[0]
    };
    bytes.extend((0..u32::from(WIDTH * HEIGHT)).map(shade));
    bytes
}

/// What becomes of an object in a run with this transform, or in one of copies if that is null.
///
/// # Panics
/// For a transform that no story has.
#[must_use]
pub fn arrival(transform: &Value, object: &StoredObject) -> Arrival {
    thread_local! {
        static KNOWN: RefCell<HashMap<(String, u64, u64), Arrival>> = RefCell::default();
    }
    let (content, size_bytes) = (object.content.clone(), object.attributes.size_bytes);
    let Some(edge) = transform["longest_edge_px"].as_u64() else {
        return Arrival::Object {
            content,
            size_bytes,
        };
    };
    KNOWN.with_borrow_mut(|known| {
        let key = (content, size_bytes, edge);
        let found = known.get(&key).cloned();
        found.unwrap_or_else(|| {
            let made = made_of(&key.0, size_bytes, edge, transform["format"] == "png");
            known.insert(key, made.clone());
            made
        })
    })
}

fn made_of(content: &str, size_bytes: u64, edge: u64, is_png: bool) -> Arrival {
    let (Some(mut bytes), true) = (picture_of(content), size_bytes > 0) else {
        return Arrival::NoImage;
    };
    bytes.resize(usize::try_from(size_bytes).expect("pictures are small"), 0);
    let format = if is_png {
        RenditionFormat::Png
    } else {
        RenditionFormat::Same
    };
    let edge = u32::try_from(edge).expect("a story's edges are short");
    let options = RenderOptions::new(edge, format, 80).expect("a story's options are valid");
    match render(&bytes, &options, &RenderLimits::default()) {
        Ok(rendition) => Arrival::Object {
            content: content_of(&rendition.bytes),
            size_bytes: rendition.bytes.len() as u64,
        },
        Err(RenderFailure::NotAnImage(_)) => Arrival::NoImage,
        Err(RenderFailure::Unreadable(_) | RenderFailure::TooLarge(_)) => Arrival::Broken,
    }
}
