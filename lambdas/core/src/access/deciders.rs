//! The documents that decide about one call.

use serde::{Deserialize, Serialize};

use super::{
    document::PolicyDocument,
    grant::{Realm, grants_of},
};
use crate::{
    failure::refusal::{RefusalReason, RefusingPolicy},
    value::action::Action,
};

/// The documents that decide about a call: the caller's own, and that of what is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deciders {
    /// This one alone.
    One(PolicyDocument),
    /// Both must allow it, because caller and resource are of two accounts (or the resource is a key or a role).
    Both {
        /// The caller's.
        caller: PolicyDocument,
        /// The resource's.
        resource: PolicyDocument,
    },
    /// Either suffices, because caller and resource are of one account.
    Either {
        /// The caller's.
        caller: PolicyDocument,
        /// The resource's.
        resource: PolicyDocument,
    },
    /// A statement of this one refuses it, whatever allows it.
    RefusedIn(PolicyDocument),
    /// None of those that Shardlift needs: somebody else's policy refuses the call.
    Others,
}

/// How many of the deciding documents must allow a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Needed {
    /// Each must allow it; AWS does not tell which of them does not.
    Each,
    /// One of them is enough.
    Any,
}

impl Deciders {
    /// Those that decide about `action` in `realm` for a caller whose own policy is `own`; `needed` says how many of the
    /// two must allow it, where the table has one of what is called.
    pub(super) fn of(own: PolicyDocument, action: Action, realm: Realm, needed: Needed) -> Self {
        let resource = grants_of(action, realm)
            .map(|grant| grant.document)
            .find(|document| document.beside() == Some(own));
        match (resource, needed) {
            (None, _) => Self::One(own),
            (Some(resource), Needed::Each) => Self::Both {
                caller: own,
                resource,
            },
            (Some(resource), Needed::Any) => Self::Either {
                caller: own,
                resource,
            },
        }
    }

    /// Those that a refusal for this reason leaves. Without a reason both of two stay.
    #[must_use]
    pub fn left_by(self, reason: Option<&RefusalReason>) -> Self {
        let Some(reason) = reason else { return self };
        let decisive = match (self, reason.by) {
            (_, RefusingPolicy::Another) => return Self::Others,
            // Of one account, and the document is the caller's: what the other refuses by name is not in it.
            (Self::One(_), RefusingPolicy::OfTheResource) if reason.is_explicit => {
                return Self::Others;
            }
            (Self::One(document), _) => document,
            (
                Self::Both { caller, .. } | Self::Either { caller, .. },
                RefusingPolicy::OfTheCaller,
            ) => caller,
            (
                Self::Both { resource, .. } | Self::Either { resource, .. },
                RefusingPolicy::OfTheResource,
            ) => resource,
            (Self::RefusedIn(_) | Self::Others, _) => return self,
        };
        match self {
            _ if reason.is_explicit => Self::RefusedIn(decisive),
            // Neither allows it: with one that did, it would have been allowed.
            Self::Either { .. } => self,
            _ => Self::One(decisive),
        }
    }

    /// Each that lacks a statement, in the order in which to look.
    #[must_use]
    pub fn listed(self) -> Vec<PolicyDocument> {
        match self {
            Self::One(document) => vec![document],
            Self::Both { caller, resource } | Self::Either { caller, resource } => {
                vec![caller, resource]
            }
            Self::RefusedIn(_) | Self::Others => Vec::new(),
        }
    }

    /// How many of them must allow the call.
    #[must_use]
    pub const fn needed(self) -> Needed {
        match self {
            Self::Either { .. } => Needed::Any,
            _ => Needed::Each,
        }
    }

    /// What a person must do, as a sentence fragment: which document must allow the call, each written by `name`.
    pub(super) fn remedy(self, name: impl Fn(PolicyDocument) -> String) -> String {
        match self {
            Self::One(document) => format!("it must be allowed by {}", name(document)),
            Self::Both { caller, resource } => format!(
                "it must be allowed by {} and by {} (one of them does not, or has a Deny statement; AWS names the one that refused only within an organization)",
                name(caller),
                name(resource)
            ),
            Self::Either { caller, resource } => format!(
                "it must be allowed by {} or by {} (one of the two is enough)",
                name(caller),
                name(resource)
            ),
            Self::RefusedIn(document) => format!(
                "a Deny statement of {document} refuses it, whatever else allows it: add an exception to that statement"
            ),
            Self::Others => {
                "another policy of the kind that AWS names refuses it, and no statement of Shardlift's is missing"
                    .to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Deciders = Deciders::Both {
        caller: PolicyDocument::TargetRolePermissions,
        resource: PolicyDocument::SourceBucketPolicy,
    };
    const EITHER: Deciders = Deciders::Either {
        caller: PolicyDocument::TargetRolePermissions,
        resource: PolicyDocument::TargetBucketPolicy,
    };

    fn reason(by: RefusingPolicy, is_explicit: bool) -> RefusalReason {
        RefusalReason {
            action: Action::GetObject.into(),
            resource: None,
            by,
            is_explicit,
        }
    }

    #[test]
    fn a_reason_leaves_one_of_two_documents_that_must_both_allow() {
        let left = |by| BOTH.left_by(Some(&reason(by, false)));
        assert_eq!(
            left(RefusingPolicy::OfTheCaller),
            Deciders::One(PolicyDocument::TargetRolePermissions)
        );
        assert_eq!(
            left(RefusingPolicy::OfTheResource),
            Deciders::One(PolicyDocument::SourceBucketPolicy)
        );
        assert_eq!(left(RefusingPolicy::Another), Deciders::Others);
        assert_eq!(BOTH.left_by(None), BOTH);
    }

    #[test]
    fn where_one_of_two_suffices_both_lack_it_unless_one_refuses_by_name() {
        let left = |by, is_explicit| EITHER.left_by(Some(&reason(by, is_explicit)));
        assert_eq!(left(RefusingPolicy::OfTheCaller, false), EITHER);
        assert_eq!(
            left(RefusingPolicy::OfTheResource, true),
            Deciders::RefusedIn(PolicyDocument::TargetBucketPolicy)
        );
    }

    #[test]
    fn the_one_document_of_a_caller_is_not_blamed_for_a_deny_elsewhere() {
        let own = Deciders::One(PolicyDocument::ExecutionRole);
        let left = |by, is_explicit| own.left_by(Some(&reason(by, is_explicit)));
        assert_eq!(
            left(RefusingPolicy::OfTheCaller, true),
            Deciders::RefusedIn(PolicyDocument::ExecutionRole)
        );
        assert_eq!(left(RefusingPolicy::OfTheResource, true), Deciders::Others);
        assert_eq!(left(RefusingPolicy::OfTheResource, false), own);
    }

    #[test]
    fn documents_that_cannot_be_distinguished_say_so() {
        let name = |document: PolicyDocument| document.to_string();
        assert!(BOTH.remedy(name).contains("only within an organization"));
        assert!(EITHER.remedy(name).contains("one of the two is enough"));
        assert!(Deciders::Others.remedy(name).contains("another policy"));
    }
}
