//! Stacks that allow everything.

use shardlift_core::{
    access::ceilings::{AllowedKey, CeilingParameters, Ceilings},
    run::{input::RunInput, option::ClassChoice, spec::RunSpec},
    value::{bucket::BucketName, storage::StorageClass},
};

/// The accounts and Regions whose keys the tests encrypt with.
const KEY_PLACES: [(&str, &str); 6] = [
    ("eu-central-1", "222222222222"),
    ("eu-west-1", "111111111111"),
    ("eu-west-1", "222222222222"),
    ("us-east-1", "111111111111"),
    ("us-east-1", "222222222222"),
    ("us-west-2", "222222222222"),
];

/// Parameters of a stack that allows everything.
#[must_use]
pub fn widest_ceilings() -> CeilingParameters {
    let classes = StorageClass::ALL.map(ClassChoice::Class);
    let key = |(region, account)| {
        AllowedKey::new(&format!("arn:aws:kms:{region}:{account}:key/*"))
            .expect("the places are constant")
    };
    CeilingParameters {
        allow_mirror: true,
        allow_versions: true,
        enable_transforms: true,
        delete_max_percent: Some(100),
        delete_max_objects: Some(u64::MAX),
        kms_keys: KEY_PLACES.map(key).to_vec(),
        storage_classes: Some([&[ClassChoice::Preserve][..], &classes].concat()),
        control_bucket: Some(BucketName::new("control-bucket").expect("the name is constant")),
        ..CeilingParameters::default()
    }
}

/// The ceilings of a stack that is configured for the pair of this run and allows everything.
#[must_use]
pub fn ceilings_around(spec: &RunSpec) -> Ceilings {
    Ceilings::new(&RunInput::of(spec), widest_ceilings())
}
