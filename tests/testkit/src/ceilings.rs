//! Stacks that allow everything.

use shardlift_core::{
    access::ceilings::{AllowedKey, CeilingParameters, Ceilings},
    run::{
        input::{RunInput, SourceInput, TargetInput},
        option::ClassChoice,
        spec::RunSpec,
    },
    value::{arn::KmsKeyArn, storage::StorageClass},
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
        delete_max_percent: Some(100),
        delete_max_objects: Some(u64::MAX),
        kms_keys: KEY_PLACES.map(key).to_vec(),
        storage_classes: Some([&[ClassChoice::Preserve][..], &classes].concat()),
    }
}

/// The ceilings of a stack that is configured for the pair of this run and allows everything.
#[must_use]
pub fn ceilings_around(spec: &RunSpec) -> Ceilings {
    let pair = spec.pair.clone();
    let defaults = RunInput {
        source: SourceInput {
            bucket: Some(pair.source.bucket),
            prefix: Some(pair.source.prefix),
        },
        target: TargetInput {
            bucket: Some(pair.target.bucket),
            prefix: Some(pair.target.prefix),
            role_arn: Some(pair.target.role_arn),
            external_id: pair.target.external_id,
        },
        acl: spec.acl,
        ..RunInput::default()
    };
    let own_key = spec.kms_key_arn.iter().map(KmsKeyArn::as_str);
    let mut parameters = widest_ceilings();
    let keys = own_key.map(|key| AllowedKey::new(key).expect("it is the ARN of a key"));
    parameters.kms_keys.extend(keys);
    Ceilings::new(&defaults, parameters)
}
