//! The S3 model server as a program.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use shardlift_s3_model::{BucketSpec, KeySpaceSpec, Model, Shape, Weather};
use tokio::net::TcpListener;

/// An S3 server in memory that is stricter and nastier than an emulator, and holds larger objects.
///
/// It listens on the loopback interface only. It accepts any signature and identifies callers by
/// their access key: a 12-digit key is the root of that account, any other key is the root of
/// account 111111111111 until principals are registered. The control API adjusts it while it runs:
///
///   GET|PUT /_model/weather            fault injection: latency, limits, faults, clock (JSON)
///   GET|DELETE /_model/counters        requests, bytes, throttled requests, cost
///   PUT|GET /_model/buckets/NAME       {"owner", "region", "versioned", "policy", "default_encryption", "key_space"}
///   POST /_model/objects/BUCKET        {"key", "size_bytes", "seed", "count", "tags", …}
///   PUT /_model/principals/KEY         {"account", "arn", "policy", "expires_s"}; KEY * stands for all others
///   PUT /_model/kms-keys/ARN           {"state": "enabled" | "disabled" | "pending_deletion"}
///   POST /_model/compare               {"source": {"bucket", "prefix"}, "target": {…}}
///   POST /_model/reset
///
/// Shapes of key spaces (--space and "key_space"): flat, hierarchical, skewed, uuid, dated, unicode.
#[derive(Debug, Parser)]
#[command(name = "s3-model", verbatim_doc_comment)]
struct Arguments {
    /// Port on 127.0.0.1.
    #[arg(long, default_value_t = 9100)]
    port: u16,
    /// Creates an empty bucket. Can be repeated.
    #[arg(long, value_name = "NAME[@ACCOUNT]")]
    bucket: Vec<String>,
    /// Creates a bucket of computed keys, for example big=flat:100000000. Can be repeated.
    #[arg(long, value_name = "NAME[@ACCOUNT]=SHAPE:COUNT")]
    space: Vec<String>,
    /// Initial weather: a file with the JSON of PUT /_model/weather.
    #[arg(long, value_name = "FILE")]
    weather: Option<PathBuf>,
    /// Worker threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// Parses `NAME` or `NAME@ACCOUNT`.
fn bucket(text: &str) -> BucketSpec {
    match text.split_once('@') {
        Some((name, account)) => BucketSpec::new(name).owner(account),
        None => BucketSpec::new(text),
    }
}

/// Parses `NAME[@ACCOUNT]=SHAPE:COUNT`. The other numbers of a shape fit any count.
fn space(text: &str) -> anyhow::Result<BucketSpec> {
    let form = || format!("--space {text}: expected NAME[@ACCOUNT]=SHAPE:COUNT");
    let (name, space) = text.split_once('=').with_context(form)?;
    let (shape, count) = space.split_once(':').with_context(form)?;
    let shape = match shape {
        "flat" => Shape::Flat {},
        "hierarchical" => Shape::Hierarchical {
            directories: 100,
            subdirectories: 100,
        },
        "skewed" => Shape::Skewed {
            prefixes: 100,
            exponent: 1.2,
        },
        "uuid" => Shape::Uuid {},
        "dated" => Shape::Dated { days: 365 },
        "unicode" => Shape::Unicode {},
        other => anyhow::bail!("--space {text}: unknown shape {other}"),
    };
    let objects = count.parse().with_context(form)?;
    Ok(bucket(name).key_space(KeySpaceSpec::new(shape, objects)))
}

fn model(arguments: &Arguments) -> anyhow::Result<Model> {
    let mut builder = Model::builder();
    for text in &arguments.bucket {
        builder = builder.bucket(bucket(text));
    }
    for text in &arguments.space {
        builder = builder.bucket(space(text)?);
    }
    if let Some(path) = &arguments.weather {
        let text = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let weather: Weather =
            serde_json::from_slice(&text).with_context(|| format!("reading {}", path.display()))?;
        builder = builder.weather(weather);
    }
    Ok(builder.build()?)
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port))
        .await
        .with_context(|| format!("listening on 127.0.0.1:{}", arguments.port))?;
    let server = model(&arguments)?.serve(listener)?;
    announce(&server.endpoint_url());
    tokio::select! {
        () = server.run() => Ok(()),
        stopped = tokio::signal::ctrl_c() => Ok(stopped?),
    }
}

#[expect(
    clippy::print_stdout,
    reason = "a person or a script waits for this line"
)]
fn announce(endpoint_url: &str) {
    println!("s3-model listens on {endpoint_url}");
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(arguments.threads.max(1))
        .enable_all()
        .build()
        .context("starting the runtime")?
        .block_on(run(arguments))
}
