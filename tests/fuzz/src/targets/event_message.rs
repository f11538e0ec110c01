//! Messages about objects of the source, as S3, EventBridge or anybody else writes them.

use shardlift_core::{
    events::{EventBatch, Message},
    value::bucket::BucketName,
};

/// What a message names is written to a list and read from it again.
pub(crate) fn event_message(bytes: &[u8]) {
    let mut listed = EventBatch::default();
    // Lists of events are documents of our own, but lie in a bucket.
    let _ = listed.add_list(bytes);
    let Ok(body) = std::str::from_utf8(bytes) else {
        return;
    };
    let source = BucketName::new("source-bucket").expect("a bucket");
    let Ok(Message::Events(read)) = Message::read(body, &source) else {
        return;
    };
    let mut batch = EventBatch::default();
    for event in read.events {
        batch.add(event);
    }
    let (name, written) = batch.written().expect("a batch can be written");
    let mut again = EventBatch::default();
    again
        .add_list(&written)
        .expect("what was written can be read");
    assert_eq!(again.objects(), batch.objects());
    assert_eq!(
        again.written().expect("a batch can be written"),
        (name, written)
    );
}
