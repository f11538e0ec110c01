//! The model: what a test builds, serves and looks into.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use tokio::net::TcpListener;

use crate::bucket::{Bucket, Versioning};
use crate::bucket_calls::DEFAULT_REGION;
use crate::bucket_view::BucketView;
use crate::clock::Clock;
use crate::comparison::{Comparison, compare};
use crate::counters::{Counters, CountersSnapshot};
use crate::identity::{Identities, Principal};
use crate::key_space::{InvalidKeySpace, KeySpace, KeySpaceSpec};
use crate::lock::{read, write};
use crate::object::Encryption;
use crate::partition::Partitions;
use crate::policy::PolicyDocument;
use crate::server::{self, Server};
use crate::sky::Sky;
use crate::weather::Weather;

/// The account that owns what nobody else was named for.
pub const DEFAULT_ACCOUNT: &str = "111111111111";

/// Everything behind a server.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) buckets: RwLock<BTreeMap<String, Arc<RwLock<Bucket>>>>,
    pub(crate) identities: RwLock<Arc<Identities>>,
    pub(crate) sky: Sky,
    pub(crate) partitions: Partitions,
    pub(crate) counters: Counters,
    pub(crate) clock: Clock,
    numbers: AtomicU64,
}

impl Inner {
    /// A number that was never given before: for request ids and upload ids.
    pub(crate) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn set_weather(&self, weather: Weather) {
        self.clock.set(weather.clock_skew_s, weather.time_scale);
        self.sky.set(weather);
    }

    pub(crate) fn create_bucket(&self, spec: BucketSpec) -> Result<(), InvalidKeySpace> {
        let mut bucket = Bucket::new(spec.owner, spec.region, self.clock.now_s());
        bucket.versioning = spec.versioning;
        bucket.policy = spec.policy.map(Arc::new);
        bucket.default_encryption = spec.default_encryption;
        bucket.space = spec.key_space.map(KeySpace::new).transpose()?.map(Arc::new);
        write(&self.buckets).insert(spec.name, Arc::new(RwLock::new(bucket)));
        Ok(())
    }

    /// Forgets buckets, principals, weather and counters.
    pub(crate) fn reset(&self) {
        write(&self.buckets).clear();
        *write(&self.identities) = Arc::new(Identities::everyone());
        self.set_weather(Weather::default());
        self.partitions.reset();
        self.counters.reset();
    }
}

impl Identities {
    /// Every access key is the root of the default account.
    fn everyone() -> Self {
        Self {
            any_other: Some(Arc::new(Principal::root(DEFAULT_ACCOUNT))),
            ..Self::default()
        }
    }
}

/// A bucket to be made.
#[derive(Debug, Clone)]
pub struct BucketSpec {
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) region: String,
    pub(crate) versioning: Versioning,
    pub(crate) policy: Option<PolicyDocument>,
    pub(crate) default_encryption: Encryption,
    pub(crate) key_space: Option<KeySpaceSpec>,
}

impl BucketSpec {
    /// An empty, unversioned bucket of the default account in us-east-1.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            owner: DEFAULT_ACCOUNT.to_owned(),
            region: DEFAULT_REGION.to_owned(),
            versioning: Versioning::Off,
            policy: None,
            default_encryption: Encryption::default(),
            key_space: None,
        }
    }

    /// Owned by another account.
    #[must_use]
    pub fn owner(mut self, account: impl Into<String>) -> Self {
        self.owner = account.into();
        self
    }

    /// Encrypting by default under this KMS key.
    #[must_use]
    pub fn default_encryption(mut self, kms_key_arn: impl Into<String>) -> Self {
        self.default_encryption = Encryption::under(kms_key_arn);
        self
    }

    /// In another Region.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// Keeping versions.
    #[must_use]
    pub fn versioning(mut self, versioning: Versioning) -> Self {
        self.versioning = versioning;
        self
    }

    /// With a bucket policy.
    #[must_use]
    pub fn policy(mut self, policy: PolicyDocument) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Full of computed keys.
    #[must_use]
    pub fn key_space(mut self, spec: KeySpaceSpec) -> Self {
        self.key_space = Some(spec);
        self
    }
}

/// Sets a model up.
#[derive(Debug, Default)]
pub struct Builder {
    buckets: Vec<BucketSpec>,
    identities: Identities,
    weather: Weather,
}

impl Builder {
    /// With a bucket.
    #[must_use]
    pub fn bucket(mut self, spec: BucketSpec) -> Self {
        self.buckets.push(spec);
        self
    }

    /// With an access key that stands for a principal. From the first one on, keys that are
    /// neither registered nor an account's number are refused.
    #[must_use]
    pub fn principal(mut self, access_key: impl Into<String>, principal: Principal) -> Self {
        self.identities
            .keys
            .insert(access_key.into(), Arc::new(principal));
        self
    }

    /// With a principal for every other access key: session keys that the model did not see made.
    #[must_use]
    pub fn any_other_key(mut self, principal: Principal) -> Self {
        self.identities.any_other = Some(Arc::new(principal));
        self
    }

    /// Taking requests without a signature, as far as bucket policies grant them.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.identities.anonymous_allowed = true;
        self
    }

    /// With weather from the start.
    #[must_use]
    pub fn weather(mut self, weather: Weather) -> Self {
        self.weather = weather;
        self
    }

    /// The model.
    ///
    /// # Errors
    /// When a key space makes no sense.
    pub fn build(self) -> Result<Model, InvalidKeySpace> {
        let mut identities = self.identities;
        if identities.keys.is_empty() && identities.any_other.is_none() {
            identities.any_other = Identities::everyone().any_other;
        }
        let inner = Inner {
            buckets: RwLock::default(),
            identities: RwLock::new(Arc::new(identities)),
            sky: Sky::default(),
            partitions: Partitions::default(),
            counters: Counters::default(),
            clock: Clock::new(),
            numbers: AtomicU64::new(1),
        };
        inner.set_weather(self.weather);
        for spec in self.buckets {
            inner.create_bucket(spec)?;
        }
        Ok(Model {
            inner: Arc::new(inner),
        })
    }
}

/// An S3 in memory. Clones are the same model.
#[derive(Debug, Clone)]
pub struct Model {
    pub(crate) inner: Arc<Inner>,
}

impl Model {
    /// Begins to set a model up.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Serves on a free port of the loopback interface, on the current tokio runtime.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(&self) -> std::io::Result<Server> {
        server::start(self.clone()).await
    }

    /// Serves on a listener that is already bound.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn serve(&self, listener: TcpListener) -> std::io::Result<Server> {
        server::serve(self.clone(), listener)
    }

    /// Makes a bucket, or puts an empty one in the place of an old one.
    ///
    /// # Errors
    /// When its key space makes no sense.
    pub fn create_bucket(&self, spec: BucketSpec) -> Result<(), InvalidKeySpace> {
        self.inner.create_bucket(spec)
    }

    /// A look into a bucket past all requests, permissions and weather.
    pub fn bucket(&self, name: &str) -> Option<BucketView> {
        let bucket = read(&self.inner.buckets).get(name)?.clone();
        Some(BucketView {
            model: self.inner.clone(),
            bucket,
        })
    }

    /// Registers an access key while the server runs.
    pub fn register(&self, access_key: impl Into<String>, principal: Principal) {
        let mut identities = write(&self.inner.identities);
        Arc::make_mut(&mut identities)
            .keys
            .insert(access_key.into(), Arc::new(principal));
    }

    /// Names the principal of all access keys that are not registered.
    pub fn register_any_other(&self, principal: Principal) {
        Arc::make_mut(&mut write(&self.inner.identities)).any_other = Some(Arc::new(principal));
    }

    /// Changes the weather. Rules start counting anew.
    pub fn set_weather(&self, weather: Weather) {
        self.inner.set_weather(weather);
    }

    /// The weather in force.
    pub fn weather(&self) -> Weather {
        self.inner.sky.get()
    }

    /// How often each rule of the weather has fired.
    pub fn faults_fired(&self) -> Vec<u64> {
        self.inner.sky.fired()
    }

    /// What was done so far.
    pub fn counters(&self) -> CountersSnapshot {
        self.inner.counters.snapshot()
    }

    /// Starts counting anew.
    pub fn reset_counters(&self) {
        self.inner.counters.reset();
    }

    /// Partitions that a bucket has split into.
    pub fn partitions(&self, bucket: &str) -> usize {
        self.inner.partitions.count(bucket)
    }

    /// Compares all objects under a source with those under a target, exactly, by provenance.
    /// Each side is a bucket and a prefix. `None` when a bucket does not exist.
    pub fn compare(&self, source: (&str, &str), target: (&str, &str)) -> Option<Comparison> {
        let buckets = read(&self.inner.buckets);
        let (left, right) = (
            buckets.get(source.0)?.clone(),
            buckets.get(target.0)?.clone(),
        );
        drop(buckets);
        Some(compare(&read(&left), source.1, &read(&right), target.1))
    }
}
