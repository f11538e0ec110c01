use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{CopyOptions, DELETE_OBJECTS_MAX, ObjectToDelete, TargetBucket},
    value::object::ETag,
};

use super::{
    CopyWorld, HOSTILE_KEYS, SourceObject,
    copying::{key, planned, refused},
    keys_under,
};

/// What every target does about deletions.
pub async fn deleting_keeps_its_promises(world: &impl CopyWorld) {
    hostile_keys_are_deleted_byte_for_byte(world).await;
    each_object_is_deleted_on_its_own_condition(world).await;
    a_call_deletes_up_to_its_limit(world).await;
}

/// An object at the target, as a plan would doom it.
async fn object_to_delete(world: &impl CopyWorld, name: &str) -> ObjectToDelete {
    world.put_source(name, &SourceObject::of(3));
    let source = planned(world, name).await;
    let target_key = key(&format!("deleted/{name}"));
    let receipt = world
        .target()
        .copy_object(&source, &target_key, &CopyOptions::default())
        .await
        .expect("a copy");
    ObjectToDelete {
        key: target_key,
        etag: receipt.etag,
    }
}

async fn hostile_keys_are_deleted_byte_for_byte(world: &impl CopyWorld) {
    let mut objects = Vec::new();
    for name in HOSTILE_KEYS {
        objects.push(object_to_delete(world, name).await);
    }
    let kept = objects.pop().expect("more than one");
    let results = world.target().delete_objects(&objects).await;
    assert_eq!(results, Ok(vec![Ok(()); objects.len()]));
    assert_eq!(
        keys_under(world.target(), "deleted/").await,
        [kept.key.as_str()]
    );
    let results = world.target().delete_objects(&[kept]).await;
    assert_eq!(results, Ok(vec![Ok(())]));
}

/// The results stand in the order of the objects, whether the key can be named in a list or goes alone.
async fn each_object_is_deleted_on_its_own_condition(world: &impl CopyWorld) {
    let other = ETag::new("00000000000000000000000000000000").expect("an ETag");
    for ending in ["", "\n"] {
        let mut objects = Vec::new();
        for name in ["gone", "meant", "written-since"] {
            objects.push(object_to_delete(world, &format!("{name}{ending}")).await);
        }
        let target = world.target();
        let gone = target.delete_objects(&objects[..1]).await;
        assert_eq!(gone, Ok(vec![Ok(())]), "{ending:?}");
        objects[2].etag = other.clone();
        let results = target.delete_objects(&objects).await.expect("a response");
        let found: Vec<Result<(), FaultKind>> = results
            .into_iter()
            .map(|result| result.map_err(|fault: CallFault| fault.kind))
            .collect();
        assert_eq!(
            found,
            [Ok(()), Ok(()), Err(FaultKind::ConditionFailed)],
            "{ending:?}"
        );
        assert!(
            target.head_target(&objects[2].key).await.is_ok(),
            "it was left as it is"
        );
        let meant = refused(target.head_target(&objects[1].key)).await;
        assert_eq!(meant, FaultKind::NoSuchKey);
    }
}

async fn a_call_deletes_up_to_its_limit(world: &impl CopyWorld) {
    let template = object_to_delete(world, "many").await;
    let many: Vec<ObjectToDelete> = (0..DELETE_OBJECTS_MAX)
        .map(|number| ObjectToDelete {
            key: key(&format!("deleted/never-{number}")),
            etag: template.etag.clone(),
        })
        .collect();
    let results = world.target().delete_objects(&many).await;
    assert_eq!(results, Ok(vec![Ok(()); many.len()]), "none was there");
    let mut too_many = many;
    too_many.push(template);
    let kind = refused(world.target().delete_objects(&too_many)).await;
    assert_eq!(kind, FaultKind::Rejected);
}
