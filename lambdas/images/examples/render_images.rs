//! Renders files, so that tests in other languages can compare the renditions: for each line of standard input, a path, it
//! writes the rendition into the output folder under the line's number, and prints one line of JSON.
//!
//! Usage: `render_images OUTPUT_FOLDER LONGEST_EDGE_PX FORMAT QUALITY [REPEATS]`

use std::{
    fs,
    io::{self, BufRead, Write},
    path::Path,
    time::Instant,
};

use peak_alloc::PeakAlloc;
use shardlift_images::{
    ImageHeader, RenderFailure, RenderLimits, RenderOptions, RenditionFormat, render,
};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, edge, format, quality, rest @ ..] = arguments.as_slice() else {
        return Err(io::Error::other(
            "usage: OUTPUT_FOLDER EDGE FORMAT QUALITY [REPEATS]",
        ));
    };
    let format = match format.as_str() {
        "same" => RenditionFormat::Same,
        "jpeg" => RenditionFormat::Jpeg,
        "png" => RenditionFormat::Png,
        "webp" => RenditionFormat::WebP,
        _ => return Err(io::Error::other("FORMAT is same, jpeg, png or webp")),
    };
    let number = |text: &str| text.parse::<u32>().map_err(io::Error::other);
    let quality = quality.parse::<u8>().map_err(io::Error::other)?;
    let options = RenderOptions::new(number(edge)?, format, quality).map_err(io::Error::other)?;
    let repeats = rest.first().map_or(Ok(1), |text| number(text))?;
    let mut out = io::stdout().lock();
    for (index, path) in io::stdin().lock().lines().enumerate() {
        let line = one(
            Path::new(&path?),
            index,
            Path::new(folder),
            &options,
            repeats,
        )?;
        writeln!(out, "{line}")?;
        out.flush()?;
    }
    Ok(())
}

fn one(
    path: &Path,
    index: usize,
    folder: &Path,
    options: &RenderOptions,
    repeats: u32,
) -> io::Result<String> {
    let bytes = fs::read(path)?;
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let started = Instant::now();
    let mut rendered = Err(RenderFailure::NotAnImage("not tried"));
    for _ in 0..repeats.max(1) {
        rendered = render(&bytes, options, &RenderLimits::default());
    }
    let seconds = started.elapsed().as_secs_f64() / f64::from(repeats.max(1));
    let peak = MEMORY.peak_usage().saturating_sub(before);
    let estimate = ImageHeader::read(&bytes, options).map_or(0, |header| header.memory_bytes);
    let (kind, detail) = match &rendered {
        Ok(rendition) => {
            fs::write(folder.join(index.to_string()), &rendition.bytes)?;
            ("rendered", rendition.content_type)
        }
        Err(RenderFailure::NotAnImage(reason)) => ("not_an_image", *reason),
        Err(RenderFailure::Unreadable(reason)) => ("ImageUnreadable", *reason),
        Err(RenderFailure::TooLarge(reason)) => ("ImageTooLarge", *reason),
    };
    let (width, height) = rendered.map_or((0, 0), |rendition| (rendition.width, rendition.height));
    Ok(format!(
        r#"{{"kind":"{kind}","detail":"{detail}","width":{width},"height":{height},"seconds":{seconds:.6},"peak":{peak},"estimate":{estimate}}}"#
    ))
}
