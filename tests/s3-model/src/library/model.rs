//! The model, and how to build one.

use std::sync::Arc;

use tokio::net::TcpListener;

use super::bucket_view::BucketView;
use crate::access::identities::Identities;
use crate::access::principal::Principal;
use crate::http::server::{self, Server};
use crate::key_space::keys::InvalidKeySpace;
use crate::lock::read;
use crate::metering::snapshot::CountersSnapshot;
use crate::state::{ServerState, default_identities};
use crate::storage::bucket_spec::BucketSpec;
use crate::storage::comparison::{Comparison, compare};
use crate::storage::kms_keys::KmsKeyState;
use crate::weather::profile::Weather;

/// Builds a model.
#[derive(Debug, Default)]
pub struct Builder {
    buckets: Vec<BucketSpec>,
    identities: Identities,
    weather: Weather,
}

impl Builder {
    /// Adds a bucket.
    #[must_use]
    pub fn bucket(mut self, spec: BucketSpec) -> Self {
        self.buckets.push(spec);
        self
    }

    /// Registers the principal of an access key. Once a key is registered, all other keys are
    /// refused, except the numbers of accounts.
    #[must_use]
    pub fn principal(mut self, access_key: impl Into<String>, principal: Principal) -> Self {
        self.identities
            .keys
            .insert(access_key.into(), Arc::new(principal));
        self
    }

    /// Sets the principal of all other access keys, such as session keys of another STS.
    #[must_use]
    pub fn any_other_key(mut self, principal: Principal) -> Self {
        self.identities.any_other = Some(Arc::new(principal));
        self
    }

    /// Allows requests without a signature, as far as bucket policies grant them.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.identities.anonymous_allowed = true;
        self
    }

    /// Sets the initial weather.
    #[must_use]
    pub fn weather(mut self, weather: Weather) -> Self {
        self.weather = weather;
        self
    }

    /// Builds the model.
    ///
    /// # Errors
    /// If a key space is invalid.
    pub fn build(self) -> Result<Model, InvalidKeySpace> {
        let mut identities = self.identities;
        if identities.keys.is_empty() && identities.any_other.is_none() {
            identities.any_other = default_identities().any_other;
        }
        let state = ServerState::new(identities);
        state.set_weather(self.weather);
        for spec in self.buckets {
            state.create_bucket(spec)?;
        }
        Ok(Model {
            state: Arc::new(state),
        })
    }
}

/// An S3 server in memory. Clones are the same server.
#[derive(Debug, Clone)]
pub struct Model {
    state: Arc<ServerState>,
}

impl Model {
    /// Starts to build a model.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Serves on a free port of the loopback interface, on the current tokio runtime.
    ///
    /// # Errors
    /// If no port is available.
    pub async fn start(&self) -> std::io::Result<Server> {
        server::start(self.state.clone()).await
    }

    /// Serves on a bound listener.
    ///
    /// # Errors
    /// If the listener has no address.
    pub fn serve(&self, listener: TcpListener) -> std::io::Result<Server> {
        server::serve(self.state.clone(), listener)
    }

    /// Creates a bucket, or replaces an old one with an empty one.
    ///
    /// # Errors
    /// If its key space is invalid.
    pub fn create_bucket(&self, spec: BucketSpec) -> Result<(), InvalidKeySpace> {
        self.state.create_bucket(spec)
    }

    /// Returns direct access to a bucket.
    pub fn bucket(&self, name: &str) -> Option<BucketView> {
        let bucket = self.state.bucket(name)?;
        Some(BucketView::new(self.state.clone(), bucket))
    }

    /// Registers the principal of an access key.
    pub fn register(&self, access_key: impl Into<String>, principal: Principal) {
        self.state.register(access_key, principal);
    }

    /// Registers the principal of all other access keys.
    pub fn register_any_other(&self, principal: Principal) {
        self.state.register_any_other(principal);
    }

    /// Registers a KMS key, or changes its state. The server knows no other keys, except those of
    /// buckets' default encryption and `alias/aws/s3`.
    pub fn set_kms_key(&self, arn: impl Into<String>, state: KmsKeyState) {
        self.state.kms_keys.set(arn, state);
    }

    /// Replaces the weather. The counts of its rules start at zero.
    pub fn set_weather(&self, weather: Weather) {
        self.state.set_weather(weather);
    }

    /// Returns the weather in force.
    pub fn weather(&self) -> Weather {
        self.state.weather.get()
    }

    /// Returns how often each rule of the weather has fired.
    pub fn faults_fired(&self) -> Vec<u64> {
        self.state.weather.fired()
    }

    /// Returns the counters.
    pub fn counters(&self) -> CountersSnapshot {
        self.state.counters.snapshot()
    }

    /// Sets the counters to zero.
    pub fn reset_counters(&self) {
        self.state.counters.reset();
    }

    /// Returns the number of partitions that a bucket has split into.
    pub fn partitions(&self, bucket: &str) -> usize {
        self.state.partitions.count(bucket)
    }

    /// Compares all objects under a source with those under a target, exactly, by provenance.
    /// Each side is a bucket and a prefix. Returns `None` if a bucket does not exist.
    pub fn compare(&self, source: (&str, &str), target: (&str, &str)) -> Option<Comparison> {
        let source_bucket = self.state.bucket(source.0)?;
        let target_bucket = self.state.bucket(target.0)?;
        Some(compare(
            &read(&source_bucket),
            source.1,
            &read(&target_bucket),
            target.1,
        ))
    }
}
