//! Renditions of images: the bytes of one object become a smaller picture.
//!
//! [`render`] is the whole of it. It asks nobody, reads no clock, and is bounded: what an image will need is known from its
//! header ([`ImageHeader`]) before a pixel of it is decoded, and what would need more than [`RenderLimits`] says is refused.
//! What goes wrong is one of three kinds ([`RenderFailure`]), and none of their texts holds a byte of the object.
//!
//! Foreign bytes are read by decoders in Rust alone. The one library in C, libwebp, writes lossy WebP, and so sees nothing but
//! pixels that were decoded and resized before.
//!
//! What is rendered how, and how that compares with other tools, is said in `docs/IMAGES.md`.

mod colour;
mod decode;
mod decoded;
mod encode;
mod failure;
mod format;
mod guard;
mod options;
mod orientation;
mod raster;
mod render;
mod resize;
mod shrink;

pub use failure::RenderFailure;
pub use format::ImageFormat;
pub use options::{InvalidRenderOptions, RenderLimits, RenderOptions, RenditionFormat};
pub use render::{ImageHeader, Rendition, render};
