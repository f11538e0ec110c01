//! The state of a server: everything that requests share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use crate::access::identities::Identities;
use crate::access::principal::Principal;
use crate::clock::Clock;
use crate::key_space::keys::InvalidKeySpace;
use crate::lock::{read, write};
use crate::metering::counters::Counters;
use crate::protocol::error::S3Error;
use crate::storage::bucket::Bucket;
use crate::storage::bucket_spec::{BucketSpec, DEFAULT_ACCOUNT};
use crate::storage::kms_keys::KmsKeys;
use crate::weather::current::CurrentWeather;
use crate::weather::partition::Partitions;
use crate::weather::profile::Weather;

/// A bucket behind its lock.
pub(crate) type SharedBucket = Arc<RwLock<Bucket>>;

/// The state of a server.
#[derive(Debug)]
pub(crate) struct ServerState {
    pub(crate) buckets: RwLock<BTreeMap<String, SharedBucket>>,
    pub(crate) identities: RwLock<Arc<Identities>>,
    pub(crate) kms_keys: KmsKeys,
    pub(crate) weather: CurrentWeather,
    pub(crate) partitions: Partitions,
    pub(crate) counters: Counters,
    pub(crate) clock: Clock,
    numbers: AtomicU64,
}

/// Returns the identities of a server that knows no principals: every access key is the root of
/// the default account.
pub(crate) fn default_identities() -> Identities {
    Identities::everyone_is(Principal::root(DEFAULT_ACCOUNT))
}

impl ServerState {
    pub(crate) fn new(identities: Identities) -> Self {
        Self {
            buckets: RwLock::default(),
            identities: RwLock::new(Arc::new(identities)),
            kms_keys: KmsKeys::default(),
            weather: CurrentWeather::default(),
            partitions: Partitions::default(),
            counters: Counters::default(),
            clock: Clock::new(),
            numbers: AtomicU64::new(1),
        }
    }

    /// Returns a number that was never returned before, for request ids and upload ids.
    pub(crate) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn set_weather(&self, weather: Weather) {
        self.clock.set(weather.clock_skew_s, weather.time_scale);
        self.weather.set(weather);
    }

    /// Creates a bucket, or replaces an old one. The key of its default encryption is registered.
    ///
    /// # Errors
    /// If its key space is invalid.
    pub(crate) fn create_bucket(&self, spec: BucketSpec) -> Result<(), InvalidKeySpace> {
        let name = spec.name.clone();
        self.kms_keys.add(&spec.default_encryption);
        let bucket = Bucket::new(spec, self.clock.now_s())?;
        write(&self.buckets).insert(name, Arc::new(RwLock::new(bucket)));
        Ok(())
    }

    /// Finds a bucket.
    pub(crate) fn bucket(&self, name: &str) -> Option<SharedBucket> {
        read(&self.buckets).get(name).cloned()
    }

    /// Finds a bucket, or refuses the request.
    pub(crate) fn require_bucket(&self, name: &str) -> Result<SharedBucket, S3Error> {
        self.bucket(name)
            .ok_or_else(|| S3Error::no_such_bucket(name))
    }

    /// Registers the principal of an access key.
    pub(crate) fn register(&self, access_key: impl Into<String>, principal: Principal) {
        Arc::make_mut(&mut write(&self.identities))
            .keys
            .insert(access_key.into(), Arc::new(principal));
    }

    /// Registers the principal of all other access keys.
    pub(crate) fn register_any_other(&self, principal: Principal) {
        Arc::make_mut(&mut write(&self.identities)).any_other = Some(Arc::new(principal));
    }

    /// Removes buckets, principals and KMS keys, and resets weather and counters.
    pub(crate) fn reset(&self) {
        write(&self.buckets).clear();
        self.kms_keys.clear();
        *write(&self.identities) = Arc::new(default_identities());
        self.set_weather(Weather::default());
        self.partitions.reset();
        self.counters.reset();
    }
}
