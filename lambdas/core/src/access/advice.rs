//! What may be behind a refused call beside a missing statement, and what helps then.

use crate::run::spec::RunSpec;

/// The advice about a refused read of a source object. A bucket policy grants nothing on objects of other accounts
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html, and about-object-ownership.html).
pub(super) fn about_reading(spec: &RunSpec) -> String {
    let mut advice = "if the policies have it, the object may belong to another account, as it can in a bucket whose object ownership is not \
         BucketOwnerEnforced: the bucket's policy does not apply to it then (aws s3api get-object-acl, get-bucket-ownership-controls)"
        .to_owned();
    if !spec.pair.source.request_payer {
        advice.push_str(", or the bucket is Requester Pays: set `request_payer`");
    }
    advice
}

/// The advice about a refused write at the target; nothing where the run names every header that a policy can demand. AWS
/// names no condition that a statement refuses by.
pub(super) fn about_writing(spec: &RunSpec) -> Option<String> {
    let mut fields = Vec::new();
    if spec.sse.is_none() && spec.kms_key_arn.is_none() {
        fields.push("`sse` or `kms_key_arn` (s3:x-amz-server-side-encryption)");
    }
    if spec.acl.is_none() {
        fields.push("`acl` (s3:x-amz-acl)");
    }
    (!fields.is_empty()).then(|| {
        format!(
            "if the target's bucket policy requires a header in each write, set {}",
            fields.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::run::input::RunInput;

    fn spec(further: &serde_json::Value) -> RunSpec {
        let mut input = json!({
            "source": {"bucket": "source"},
            "target": {"bucket": "target", "role_arn": "arn:aws:iam::222222222222:role/T"},
        });
        for (field, value) in further.as_object().unwrap() {
            input[field] = value.clone();
        }
        RunSpec::settle(RunInput::parse(&input).unwrap()).unwrap()
    }

    #[test]
    fn a_refused_write_leads_to_the_fields_that_the_run_does_not_set() {
        let advice = |further| about_writing(&spec(&further));
        let plain = advice(json!({})).unwrap();
        assert!(
            plain.contains("`sse`") && plain.contains("`acl`"),
            "{plain}"
        );
        let encrypted = advice(json!({"sse": "AES256"})).unwrap();
        assert!(!encrypted.contains("`sse`") && encrypted.contains("`acl`"));
        let full = json!({"sse": "AES256", "acl": "bucket-owner-full-control"});
        assert_eq!(advice(full), None);
    }

    #[test]
    fn a_refused_read_leads_to_the_owner_of_the_object() {
        let plain = about_reading(&spec(&json!({})));
        assert!(plain.contains("another account") && plain.contains("get-object-acl"));
        assert!(plain.contains("`request_payer`"));
        let paying = about_reading(&spec(&json!({"request_payer": true})));
        assert!(!paying.contains("`request_payer`"));
    }
}
