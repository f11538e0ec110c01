//! The KMS keys that the server knows, and what each of them can be used for.

use std::collections::BTreeMap;
use std::sync::RwLock;

use serde::{Deserialize, Serialize};

use super::encryption::Encryption;
use crate::lock::{read, write};
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;

/// The key of S3 in every account, which needs no registration.
const S3_MANAGED_ALIAS: &str = ":alias/aws/s3";

/// The state of a KMS key. All but the first refuse writes and reads (facts 70 and 72).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KmsKeyState {
    /// It encrypts and decrypts.
    Enabled,
    /// Somebody disabled it.
    Disabled,
    /// Somebody scheduled its deletion.
    PendingDeletion,
}

/// The KMS keys that the server knows, by ARN. A key that nobody registered does not exist.
#[derive(Debug, Default)]
pub(crate) struct KmsKeys {
    states: RwLock<BTreeMap<String, KmsKeyState>>,
}

impl KmsKeys {
    /// Registers a key, or changes its state.
    pub(crate) fn set(&self, arn: impl Into<String>, state: KmsKeyState) {
        write(&self.states).insert(arn.into(), state);
    }

    /// Registers a key unless it is known.
    pub(crate) fn add(&self, encryption: &Encryption) {
        if let Encryption::Kms { key_id, .. } = encryption {
            write(&self.states)
                .entry(key_id.clone())
                .or_insert(KmsKeyState::Enabled);
        }
    }

    pub(crate) fn clear(&self) {
        write(&self.states).clear();
    }

    /// Refuses the use of a key that does not exist, or cannot be used, for a bucket of `region`.
    /// The codes have the prefix `KMS.` and status 400 (fact 70), and a key of another Region
    /// counts as unknown (fact 71).
    pub(crate) fn check(&self, encryption: &Encryption, region: &str) -> Result<(), S3Error> {
        let Encryption::Kms { key_id, .. } = encryption else {
            return Ok(());
        };
        if key_id.ends_with(S3_MANAGED_ALIAS) {
            return Ok(());
        }
        let is_here = key_id.split(':').nth(3) == Some(region);
        let state = read(&self.states).get(key_id).copied().filter(|_| is_here);
        match state {
            Some(KmsKeyState::Enabled) => Ok(()),
            Some(KmsKeyState::Disabled) => Err(S3Error::new(
                ErrorCode::KmsDisabled,
                format!("{key_id} is disabled."),
            )),
            Some(KmsKeyState::PendingDeletion) => Err(S3Error::new(
                ErrorCode::KmsInvalidState,
                format!("{key_id} is pending deletion."),
            )),
            None => Err(S3Error::new(
                ErrorCode::KmsNotFound,
                format!("Invalid keyId '{key_id}'"),
            )),
        }
    }
}
