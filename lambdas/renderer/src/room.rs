//! How much a renderer holds at once: the bytes of images, what rendering them takes, and processors.
//!
//! An image first takes room for its bytes, then for rendering, as its header says, and both until its rendition is made. There
//! are two stores, and who has room in the second one waits for nothing more: so nobody waits for somebody who waits.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What the process takes beside images: code, connections, the shard's lists, and the beginnings of
/// [`IMAGES_IN_FLIGHT_MAX`] objects.
const RESERVED_MIB: u64 = 256;
/// The most objects under way at once. The first read of each is at most [`FIRST_READ_BYTES_MAX`], and takes no room.
pub(crate) const IMAGES_IN_FLIGHT_MAX: usize = 64;
/// What is read of an object at first: all of a small one, so that one request suffices; of a larger one the beginning, which
/// shows whether it is an image.
pub(crate) const FIRST_READ_BYTES_MAX: u64 = 1 << 20;
/// The beginning of a larger one.
pub(crate) const BEGINNING_BYTES: u64 = 4_096;
/// No image of these formats that has at most some hundred megapixels is larger.
const OBJECT_BYTES_MAX: u64 = 512 << 20;
/// The most memory that one rendition may take, whatever the function has.
const MEMORY_BYTES_MAX: u64 = 1 << 30;

const MIB: u64 = 1 << 20;

/// The room of a process.
#[derive(Debug)]
pub struct Room {
    bytes: Arc<Semaphore>,
    rendering: Arc<Semaphore>,
    processors: Arc<Semaphore>,
    object_bytes_max: u64,
    memory_bytes_max: u64,
}

/// Room that is taken. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct HeldRoom(OwnedSemaphorePermit);

impl HeldRoom {
    /// Gives back all but the room for `bytes`.
    pub(crate) fn keep(&mut self, bytes: u64) {
        let kept = usize::try_from(units(bytes)).unwrap_or(usize::MAX);
        let held = self.0.num_permits();
        drop(self.0.split(held.saturating_sub(kept)));
    }
}

impl Room {
    /// That of a function with so much memory, in MB, and so many processors. Panics below 512 MB: the settings allow no less
    /// than twice that.
    #[must_use]
    pub fn new(memory_mb: u32, processors: usize) -> Self {
        let free = u64::from(memory_mb)
            .checked_sub(RESERVED_MIB)
            .filter(|free| *free >= RESERVED_MIB)
            .expect("the settings bound the memory from below");
        let for_bytes = free / 4;
        let for_rendering = free - for_bytes;
        let store = |mib: u64| Arc::new(Semaphore::new(usize::try_from(mib).unwrap_or(1)));
        Self {
            bytes: store(for_bytes),
            rendering: store(for_rendering),
            processors: Arc::new(Semaphore::new(processors.max(1))),
            object_bytes_max: (for_bytes * MIB).min(OBJECT_BYTES_MAX),
            memory_bytes_max: (for_rendering * MIB).min(MEMORY_BYTES_MAX),
        }
    }

    /// The most bytes that an image may have.
    pub(crate) fn object_bytes_max(&self) -> u64 {
        self.object_bytes_max
    }

    /// The most memory that one rendition may take.
    pub(crate) fn memory_bytes_max(&self) -> u64 {
        self.memory_bytes_max
    }

    /// Waits for room for so many bytes of an image.
    pub(crate) async fn for_bytes(&self, bytes: u64) -> HeldRoom {
        take(&self.bytes, units(bytes)).await
    }

    /// Waits for room to render an image that takes so much.
    pub(crate) async fn for_rendering(&self, bytes: u64) -> HeldRoom {
        take(&self.rendering, units(bytes)).await
    }

    /// Waits for a processor.
    pub(crate) async fn processor(&self) -> HeldRoom {
        take(&self.processors, 1).await
    }
}

fn units(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(MIB)).unwrap_or(u32::MAX)
}

async fn take(store: &Arc<Semaphore>, units: u32) -> HeldRoom {
    let permit = Arc::clone(store).acquire_many_owned(units).await;
    HeldRoom(permit.expect("the room is never closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_at_once_fits_the_function() {
        for memory_mb in [1_024, 2_048, 3_008, 10_240] {
            let room = Room::new(memory_mb, 2);
            let mib = |store: &Semaphore| store.available_permits() as u64;
            let held = mib(&room.bytes) + mib(&room.rendering);
            assert_eq!(held + RESERVED_MIB, u64::from(memory_mb));
            assert!(room.object_bytes_max <= mib(&room.bytes) * MIB);
            assert!(room.memory_bytes_max <= mib(&room.rendering) * MIB);
            let first_reads = IMAGES_IN_FLIGHT_MAX as u64 * FIRST_READ_BYTES_MAX;
            assert!(first_reads <= RESERVED_MIB * MIB / 4);
        }
    }

    #[tokio::test]
    async fn room_comes_back_when_it_is_dropped_and_partly_before() {
        let room = Room::new(1_024, 1);
        let all = room.memory_bytes_max();
        let mut taken = room.for_rendering(all).await;
        assert_eq!(room.rendering.available_permits(), 0);
        taken.keep(MIB + 1);
        assert_eq!(units(all) as usize - 2, room.rendering.available_permits());
        drop(taken);
        assert_eq!(units(all) as usize, room.rendering.available_permits());
    }
}
