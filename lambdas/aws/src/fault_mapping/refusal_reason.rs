//! AWS names only in the text of a message which policy refused a call. These are its texts
//! (docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html).

use shardlift_core::{
    failure::refusal::{RefusalReason, RefusingPolicy},
    value::arn::Arn,
};

/// KMS does not distinguish the keys of other accounts from keys that do not exist.
const FOREIGN_KEY: &str = "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access";

/// The reason in a message such as `User: … is not authorized to perform: s3:GetObject on resource: "…" because no
/// resource-based policy allows the s3:GetObject action`; nothing where AWS gives none.
///
/// It stands at the end, after the name of the resource: a key that imitates it changes nothing.
pub(crate) fn refusal_reason(message: &str) -> Option<RefusalReason> {
    let (_, text) = message.split_once(" is not authorized to perform: ")?;
    let action = text.split_whitespace().next()?;
    let (subject, by, is_explicit) = if let Some(subject) = text.strip_suffix(FOREIGN_KEY) {
        (subject, RefusingPolicy::OfTheResource, false)
    } else if let Some(rest) = text.strip_suffix(&format!(" allows the {action} action")) {
        let (subject, kind) = rest.rsplit_once("because no ")?;
        (subject, policy_of(kind), false)
    } else {
        let (subject, kind) = text.rsplit_once("with an explicit deny in ")?;
        if kind.contains('"') {
            // The words stand in the quoted name of the resource, and nothing follows it.
            return None;
        }
        (subject, policy_of(kind), true)
    };
    let resource = subject
        .split_once(" on resource: ")
        .and_then(|(_, resource)| Arn::new(unquoted(resource.trim())).ok());
    Some(RefusalReason {
        action: action.into(),
        resource,
        by,
        is_explicit,
    })
}

/// Without the quotes around it, if it has them; a key may have further ones of its own.
fn unquoted(text: &str) -> &str {
    text.strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(text)
}

/// `kind` as in "because no … allows" and "with an explicit deny in …", where the policy's own ARN may follow.
fn policy_of(kind: &str) -> RefusingPolicy {
    let is = |name: &str| kind.starts_with(name);
    if is("identity-based policy") || is("an identity-based policy") {
        RefusingPolicy::OfTheCaller
    } else if is("resource-based policy")
        || is("a resource-based policy")
        || is("role trust policy")
        || is("the role trust policy")
    {
        RefusingPolicy::OfTheResource
    } else {
        RefusingPolicy::Another
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str =
        "User: arn:aws:sts::222222222222:assumed-role/T/s is not authorized to perform:";

    fn reason(message: &str) -> RefusalReason {
        refusal_reason(message).unwrap_or_else(|| panic!("no reason in {message}"))
    }

    #[test]
    fn the_policy_that_refused_is_read_from_each_of_its_forms() {
        use RefusingPolicy::{Another, OfTheCaller, OfTheResource};
        for (told, by, is_explicit) in [
            (
                "s3:GetObject on resource: \"arn:aws:s3:::b/k\" because no identity-based policy allows the s3:GetObject action",
                OfTheCaller,
                false,
            ),
            (
                "s3:GetObject on resource: \"arn:aws:s3:::b/k\" because no resource-based policy allows the s3:GetObject action",
                OfTheResource,
                false,
            ),
            (
                "s3:GetObject on resource: \"arn:aws:s3:::b/k\" with an explicit deny in a resource-based policy",
                OfTheResource,
                true,
            ),
            (
                "s3:GetObject on resource: \"arn:aws:s3:::b/k\" because no session policy allows the s3:GetObject action",
                Another,
                false,
            ),
            (
                "s3:GetObject on resource: \"arn:aws:s3:::b/k\" with an explicit deny in a service control policy: arn:aws:organizations::1:policy/x",
                Another,
                true,
            ),
        ] {
            let found = reason(&format!("{USER} {told}"));
            assert_eq!((found.by, found.is_explicit), (by, is_explicit), "{told}");
            assert_eq!(found.action.name(), "s3:GetObject");
            assert_eq!(
                found.resource.as_ref().map(Arn::as_str),
                Some("arn:aws:s3:::b/k")
            );
        }
    }

    #[test]
    fn a_role_and_a_key_of_another_account_are_resources() {
        let trust = reason(&format!(
            "{USER} sts:AssumeRole because no role trust policy allows the sts:AssumeRole action"
        ));
        assert_eq!(
            (trust.by, trust.resource),
            (RefusingPolicy::OfTheResource, None)
        );
        let key = reason(&format!(
            "{USER} kms:Decrypt on resource: arn:aws:kms:us-east-1:111111111111:key/1 {FOREIGN_KEY}"
        ));
        assert_eq!(key.by, RefusingPolicy::OfTheResource);
        assert_eq!(
            key.resource.as_ref().map(Arn::as_str),
            Some("arn:aws:kms:us-east-1:111111111111:key/1")
        );
    }

    #[test]
    fn a_key_that_imitates_a_reason_is_part_of_the_resource() {
        let imitation = "because no identity-based policy allows the s3:GetObject action";
        let found = reason(&format!(
            "{USER} s3:GetObject on resource: \"arn:aws:s3:::b/{imitation}\" because no resource-based policy allows the s3:GetObject action"
        ));
        assert_eq!(found.by, RefusingPolicy::OfTheResource);
        assert_eq!(
            found.resource.as_ref().map(Arn::as_str),
            Some(format!("arn:aws:s3:::b/{imitation}").as_str())
        );
        for imitation in [
            imitation,
            "x with an explicit deny in a resource-based policy",
        ] {
            let plain = format!("{USER} s3:GetObject on resource: \"arn:aws:s3:::b/{imitation}\"");
            assert_eq!(
                refusal_reason(&plain),
                None,
                "a foreign bucket gives no reason"
            );
        }
    }

    #[test]
    fn a_quote_at_the_end_of_a_key_belongs_to_the_key() {
        let found = reason(&format!(
            "{USER} s3:GetObject on resource: \"arn:aws:s3:::b/k\"\" because no resource-based policy allows the s3:GetObject action"
        ));
        assert_eq!(
            found.resource.as_ref().map(Arn::as_str),
            Some("arn:aws:s3:::b/k\"")
        );
    }

    #[test]
    fn a_key_need_not_be_named() {
        const UNNAMED: &str = "kms:Decrypt on the resource associated with this ciphertext";
        let own = reason(&format!(
            "{USER} {UNNAMED} because no identity-based policy allows the kms:Decrypt action"
        ));
        let foreign = reason(&format!("{USER} {UNNAMED} {FOREIGN_KEY}"));
        for (found, by) in [
            (own, RefusingPolicy::OfTheCaller),
            (foreign, RefusingPolicy::OfTheResource),
        ] {
            let expected = RefusalReason {
                action: "kms:Decrypt".into(),
                resource: None,
                by,
                is_explicit: false,
            };
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_response_without_a_reason_has_none() {
        for message in ["Access Denied", "", "The security token is invalid"] {
            assert_eq!(refusal_reason(message), None);
        }
    }
}
