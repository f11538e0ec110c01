//! The objects of a shard, each rendered on its own.

use std::collections::BTreeMap;

use shardlift_core::{
    access::missing_permission::MissingPermission,
    copy::stated_tags::StatedTags,
    documents::receipt::TargetVersion,
    failure::{Failure, FailureCode, fault::FaultKind},
    port::{CopyReceipt, NewObject, ObjectBytes, TagSet, TargetBucket},
    run::transform::{Transform, TransformFormat},
    shard::note::Note,
    value::skips::SkipReason,
};
use shardlift_images::{ImageFormat, RenderLimits, RenderOptions, Rendition, RenditionFormat};
use shardlift_worker::{
    pace::BudgetedRetries,
    work::{ObjectContext, PlannedObject, VersionEnd, VersionWork, source_changed},
};

use crate::{
    rendering::{self, LoadedImage, NotRendered},
    room::{BEGINNING_BYTES, FIRST_READ_BYTES_MAX, HeldRoom, IMAGES_IN_FLIGHT_MAX, Room},
};

/// User metadata of a rendition: what it was made with, and from which version.
const TRANSFORM_METADATA: &str = "shardlift-transform";
const SOURCE_METADATA: &str = "shardlift-source-etag";

/// Renders objects.
pub(crate) struct Renditions<'a> {
    transform: Transform,
    options: RenderOptions,
    room: &'a Room,
}

impl<'a> Renditions<'a> {
    /// Those of a run with this transform.
    ///
    /// # Errors
    /// `InvariantViolated` for options that no settled run has.
    pub(crate) fn new(transform: Transform, room: &'a Room) -> Result<Self, Failure> {
        let format = match transform.format {
            TransformFormat::Same => RenditionFormat::Same,
            TransformFormat::Jpeg => RenditionFormat::Jpeg,
            TransformFormat::Png => RenditionFormat::Png,
            TransformFormat::Webp => RenditionFormat::WebP,
        };
        let options = RenderOptions::new(transform.longest_edge_px, format, transform.quality)
            .map_err(|invalid| Failure::invariant(invalid.to_string()))?;
        Ok(Self {
            transform,
            options,
            room,
        })
    }
}

impl<T: TargetBucket + ObjectBytes> VersionWork<T> for Renditions<'_> {
    const STEPS_IN_FLIGHT_MAX: usize = IMAGES_IN_FLIGHT_MAX;

    async fn take(
        &self,
        context: &ObjectContext<'_, T>,
        version: &PlannedObject,
    ) -> Result<VersionEnd, Failure> {
        if version.source.size_bytes == 0 {
            is_still_there(context, version).await?;
            return Ok(VersionEnd::Skipped(SkipReason::NotAnImage));
        }
        let rendered = match self.render(context, version).await {
            Ok(rendered) => rendered,
            Err(NotRendered::Skipped(reason)) => return Ok(VersionEnd::Skipped(reason)),
            Err(NotRendered::Failed(failure)) => return Err(failure),
        };
        self.write(context, version, rendered).await
    }
}

impl Renditions<'_> {
    /// Reads the object and renders it.
    async fn render<T: TargetBucket + ObjectBytes>(
        &self,
        context: &ObjectContext<'_, T>,
        version: &PlannedObject,
    ) -> Result<(Rendition, HeldRoom), NotRendered> {
        let size_bytes = version.source.size_bytes;
        let is_small = size_bytes <= FIRST_READ_BYTES_MAX;
        let first = if is_small {
            size_bytes
        } else {
            BEGINNING_BYTES
        };
        let mut bytes = read(context, version, first).await?;
        ImageFormat::of(&bytes)?;
        let held = if is_small {
            None
        } else {
            if size_bytes > self.room.object_bytes_max() {
                return Err(NotRendered::Failed(Failure::new(
                    FailureCode::ImageTooLarge,
                    format!(
                        "the object has {size_bytes} bytes, and an image may have {}",
                        self.room.object_bytes_max()
                    ),
                )));
            }
            let held = self.room.for_bytes(size_bytes).await;
            bytes = read(context, version, size_bytes).await?;
            Some(held)
        };
        let limits = RenderLimits {
            pixels_max: self.transform.pixels_max,
            memory_bytes_max: self.room.memory_bytes_max(),
        };
        let (bytes, header) = rendering::measure(bytes, self.options).await?;
        // What is refused takes no room.
        let needed = Some(header.memory_bytes).filter(|needed| *needed <= limits.memory_bytes_max);
        let rendering = self.room.for_rendering(needed.unwrap_or(0)).await;
        let processor = self.room.processor().await;
        rendering::run(LoadedImage {
            bytes,
            options: self.options,
            limits,
            held,
            rendering,
            processor,
        })
        .await
    }

    /// Writes the rendition with the tags of its source.
    async fn write<T: TargetBucket + ObjectBytes>(
        &self,
        context: &ObjectContext<'_, T>,
        version: &PlannedObject,
        (rendition, _taken): (Rendition, HeldRoom),
    ) -> Result<VersionEnd, Failure> {
        let spec = context.calls.spec;
        let mut notes = Vec::new();
        let stated = match context.tags_to_carry(version).await? {
            Some(tags) => Tags {
                stated: StatedTags::of(tags.clone()),
                all: tags,
            },
            None => {
                notes.push(Note::TagsLeftBehind);
                Tags::none()
            }
        };
        let mut object = NewObject {
            target_key: version.target_key.clone(),
            content_type: rendition.content_type.to_owned(),
            metadata: BTreeMap::from([
                (TRANSFORM_METADATA.to_owned(), self.transform.to_string()),
                (SOURCE_METADATA.to_owned(), version.source.etag.to_string()),
            ]),
            tags: stated.stated.in_header,
            storage_class: version.storage_class,
            kms_key_arn: spec.kms_key_arn.clone(),
            sse: spec.sse,
            acl: spec.acl,
        };
        let receipt = put(context, version, &mut object, &rendition.bytes, &mut notes).await?;
        let is_tagged = stated.stated.are_all || notes.contains(&Note::TagsLeftBehind);
        if !is_tagged {
            notes.extend(tag(context, version, &stated.all).await?);
        }
        let at_target = TargetVersion {
            etag: receipt.etag,
            version_id: receipt.version_id,
            size_bytes: rendition.bytes.len() as u64,
        };
        Ok(VersionEnd::Written(at_target, notes))
    }
}

/// The tags of a rendition.
struct Tags {
    /// Those that its request states.
    stated: StatedTags,
    all: TagSet,
}

impl Tags {
    fn none() -> Self {
        Self {
            stated: StatedTags::of(TagSet::new()),
            all: TagSet::new(),
        }
    }
}

/// Looks whether an empty object that a list names is at the source in that version: a list may be days old. What a listing
/// names was there a moment ago, and most of it are folder markers, which need no request.
async fn is_still_there<T: TargetBucket>(
    context: &ObjectContext<'_, T>,
    version: &PlannedObject,
) -> Result<(), Failure> {
    let (calls, source) = (&context.calls, &version.source);
    if calls.spec.list.is_none() {
        return Ok(());
    }
    match calls.read(|| calls.target.head_source(source.into())).await {
        Ok(found) if found.etag == source.etag => Ok(()),
        Ok(found) => Err(source_changed(source, &found.etag, found.size_bytes)),
        Err(fault) => Err(context.explain(fault, version).await),
    }
}

async fn read<T: TargetBucket + ObjectBytes>(
    context: &ObjectContext<'_, T>,
    version: &PlannedObject,
    bytes_max: u64,
) -> Result<Vec<u8>, Failure> {
    let (calls, source) = (&context.calls, &version.source);
    match calls
        .read(|| calls.target.read_source(source, bytes_max))
        .await
    {
        Ok(bytes) => Ok(bytes),
        Err(fault) => Err(context.explain(fault, version).await),
    }
}

/// Writes the rendition, and without its tags where these are refused and the run does without. A response that was lost needs no
/// look at the target: the same bytes are written again.
async fn put<T: TargetBucket + ObjectBytes>(
    context: &ObjectContext<'_, T>,
    version: &PlannedObject,
    object: &mut NewObject,
    bytes: &[u8],
    notes: &mut Vec<Note>,
) -> Result<CopyReceipt, Failure> {
    let calls = &context.calls;
    let mut retries = BudgetedRetries::new(calls.gate);
    loop {
        let call = calls.target.put_object(object, bytes);
        let fault = match calls.gate.write(call).await {
            Ok(receipt) => return Ok(receipt),
            Err(fault) => fault,
        };
        if !object.tags.is_empty() && context.may_drop_tags(&fault) {
            object.tags.clear();
            notes.push(Note::TagsLeftBehind);
            continue;
        }
        if !retries.back_off(&fault).await {
            return Err(context.explain(fault, version).await);
        }
    }
}

/// Writes tags that did not fit the header of the request. Returns a note where the run does without them.
async fn tag<T: TargetBucket>(
    context: &ObjectContext<'_, T>,
    version: &PlannedObject,
    tags: &TagSet,
) -> Result<Option<Note>, Failure> {
    let calls = &context.calls;
    let put = || calls.target.put_target_tags(&version.target_key, tags);
    match calls.write(put).await {
        Ok(()) => Ok(None),
        Err(fault) if context.may_drop_tags(&fault) => Ok(Some(Note::TagsLeftBehind)),
        Err(fault) if fault.kind == FaultKind::NoSuchKey => Err(Failure::new(
            FailureCode::TargetConflict,
            format!("it was rendered, and was gone before it got its tags: {fault}"),
        )),
        Err(fault) => Err(context.explain_with(MissingPermission::WriteTags, version, &fault)),
    }
}
