//! What an audit needs beyond listing: nothing. What it would like to know is how both sides encrypt, since that decides
//! whether ETags can be compared.

use shardlift_aws::retry::LISTING;
use shardlift_core::{
    access::preflight::Check,
    port::{ListRequest, ObjectAttributes, TargetBucket},
    run::record::PairEncryption,
    value::object::Encryption,
};

use super::{
    checker::Checker,
    samples::{SAMPLES_MAX, Samples},
};

/// Why the checks of writing are left out.
const AUDIT: &str = "an audit only lists both sides";

/// Looks at some objects of both sides as far as the role may. Nothing that is refused here keeps the audit from comparing:
/// without the encryption, times decide where ETags differ.
pub(super) async fn run<T: TargetBucket>(
    checker: &mut Checker<'_>,
    target: &T,
    samples: &Samples,
) -> PairEncryption {
    for check in Check::ALL {
        if check > Check::ListTarget {
            checker.table.not_checked(check, AUDIT);
        }
    }
    let mut source_sample = Encryption::Unknown;
    for object in &samples.objects {
        let head = LISTING.run(|| target.head_source(object.into())).await.ok();
        source_sample = worse(source_sample, head);
    }
    let first_page = ListRequest {
        prefix: checker.spec.pair.target.prefix.clone(),
        after: None,
    };
    let page = LISTING.run(|| target.list_page(&first_page)).await;
    let objects = page.map_or_else(|_| Vec::new(), |page| page.objects);
    let mut at_target = Encryption::Unknown;
    for object in objects.iter().take(SAMPLES_MAX) {
        let head = LISTING.run(|| target.head_target(&object.key)).await.ok();
        at_target = worse(at_target, head);
    }
    PairEncryption {
        source_sample,
        target: at_target,
    }
}

/// The encryption of the samples so far and of another one: once one is under a key, ETags are no digests.
fn worse(so_far: Encryption, found: Option<ObjectAttributes>) -> Encryption {
    match (so_far, found.map(|object| object.encryption)) {
        (Encryption::Kms, _) | (_, Some(Encryption::Kms)) => Encryption::Kms,
        (_, Some(Encryption::S3Managed)) => Encryption::S3Managed,
        (so_far, _) => so_far,
    }
}
