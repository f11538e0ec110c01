//! Objects that say they are images.

use shardlift_images::{
    ImageHeader, RenderFailure, RenderLimits, RenderOptions, RenditionFormat, render,
};

/// Small, so that a picture takes milliseconds; the bounds are kept by the same code whatever they are.
const LIMITS: RenderLimits = RenderLimits {
    pixels_max: 1_000_000,
    memory_bytes_max: 64 << 20,
};
const EDGE_PX: u32 = 32;

/// A header says of itself what rendering says of it; a rendition is within its edge, and is an image in turn.
pub(crate) fn image(bytes: &[u8]) {
    let options = RenderOptions::new(EDGE_PX, RenditionFormat::Same, 80).expect("options");
    let header = ImageHeader::read(bytes, &options);
    let rendered = render(bytes, &options, &LIMITS);
    match (header, &rendered) {
        (Err(failure), _) => assert_eq!(Some(&failure), rendered.as_ref().err()),
        (Ok(header), Ok(_)) => {
            assert!(header.memory_bytes <= LIMITS.memory_bytes_max);
            assert!(u64::from(header.width) * u64::from(header.height) <= LIMITS.pixels_max);
        }
        (Ok(_), Err(failure)) => assert!(!matches!(failure, RenderFailure::NotAnImage(_))),
    }
    if let Ok(rendition) = rendered {
        let again = render(&rendition.bytes, &options, &LIMITS)
            .unwrap_or_else(|failure| panic!("the rendition is not rendered again: {failure}"));
        assert_eq!(
            (again.width, again.height),
            (rendition.width, rendition.height)
        );
        assert!(rendition.width.max(rendition.height) <= EDGE_PX);
    }
}
