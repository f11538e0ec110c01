use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use aws_credential_types::provider::SharedCredentialsProvider;

use super::session::SessionKey;

/// A warm copier works on one shard after another, each with a session of its own name.
const SESSIONS_MAX: usize = 8;

/// The sessions used last, so that a function that runs again does not assume the role again.
#[derive(Debug, Default)]
pub(super) struct SessionCache(Mutex<VecDeque<(SessionKey, SharedCredentialsProvider)>>);

impl SessionCache {
    /// The session of this key, if it is cached.
    pub(super) fn get(&self, key: &SessionKey) -> Option<SharedCredentialsProvider> {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions
            .iter()
            .find_map(|(known, session)| (known == key).then(|| session.clone()))
    }

    /// Caches a session as the one used last, in place of an earlier one of the same key.
    pub(super) fn put(&self, key: SessionKey, session: SharedCredentialsProvider) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|(known, _)| *known != key);
        sessions.push_back((key, session));
        if sessions.len() > SESSIONS_MAX {
            sessions.pop_front();
        }
    }
}
