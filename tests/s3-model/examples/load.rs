//! Measures how many small requests per second a server handles, with a client that costs as
//! little as possible.
//!
//! `cargo run --release -p shardlift-s3-model --example load -- 127.0.0.1:9100 head 10 32 1`
//! sends `operation` (head, get, copy, list) for 10 seconds over 32 connections from 1 thread. It
//! expects the buckets `s` and `t`, an object `k` in `s`, and for `list` a bucket `big` of flat
//! computed keys. Each connection has one request in flight at a time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// Makes the head of a signed request. The model does not verify the signature.
fn head(method: &str, path: &str, extra: &str) -> Vec<u8> {
    let now = jiff::Timestamp::now()
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string();
    let day = &now[..8];
    let signature = "0".repeat(64);
    format!(
        "{method} {path} HTTP/1.1\r\nhost: s3\r\nx-amz-date: {now}\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\n{extra}\
         authorization: AWS4-HMAC-SHA256 Credential=LOAD/{day}/us-east-1/s3/aws4_request, SignedHeaders=host, Signature={signature}\r\n\r\n"
    )
    .into_bytes()
}

fn request(operation: &str, number: u64) -> anyhow::Result<Vec<u8>> {
    Ok(match operation {
        "head" => head("HEAD", "/s/k", ""),
        "get" => head("GET", "/s/k", ""),
        "copy" => head(
            "PUT",
            &format!("/t/k{number}"),
            "x-amz-copy-source: s/k\r\ncontent-length: 0\r\n",
        ),
        "list" => {
            let after = number.wrapping_mul(1_000) % 99_000_000;
            head(
                "GET",
                &format!("/big?list-type=2&start-after=object-{after:012}"),
                "",
            )
        }
        other => anyhow::bail!("unknown operation {other}"),
    })
}

/// Reads one whole response and returns its status.
fn response_status(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    bodiless: bool,
) -> anyhow::Result<u16> {
    let mut filled = 0;
    let (body_start, length, status) = loop {
        if filled == buffer.len() {
            buffer.resize(buffer.len() * 2, 0);
        }
        let read = stream.read(&mut buffer[filled..])?;
        anyhow::ensure!(read > 0, "the server closed the connection");
        filled += read;
        if let Some(end) = buffer[..filled]
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
        {
            let head = std::str::from_utf8(&buffer[..end])?;
            let status = head.get(9..12).context("a status line")?.parse()?;
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length = if bodiless {
                0
            } else {
                length.unwrap_or("0").parse::<usize>()?
            };
            break (end + 4, length, status);
        }
    };
    let mut left = (body_start + length).saturating_sub(filled);
    while left > 0 {
        let max = left.min(buffer.len());
        let read = stream.read(&mut buffer[..max])?;
        anyhow::ensure!(read > 0, "the server closed the connection");
        left -= read;
    }
    Ok(status)
}

/// Sends the requests of one thread until the deadline, and returns the number of responses.
fn run(
    address: &str,
    operation: &str,
    connections: u64,
    first: u64,
    deadline: Instant,
) -> anyhow::Result<u64> {
    let mut streams = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let mut buffer = vec![0; 256 * 1024];
    let (mut number, mut responses) = (first, 0);
    let fixed = request(operation, 0)?;
    while Instant::now() < deadline {
        for stream in &mut streams {
            number += 1;
            if matches!(operation, "copy" | "list") {
                stream.write_all(&request(operation, number)?)?;
            } else {
                stream.write_all(&fixed)?;
            }
        }
        for stream in &mut streams {
            let status = response_status(stream, &mut buffer, operation == "head")?;
            anyhow::ensure!(status == 200, "unexpected status {status}");
            responses += 1;
        }
    }
    Ok(responses)
}

#[expect(clippy::print_stdout, reason = "prints the result")]
fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, operation, seconds, connections, threads] = arguments.as_slice() else {
        anyhow::bail!("expected ADDRESS OPERATION SECONDS CONNECTIONS THREADS");
    };
    let (seconds, connections, threads) = (
        seconds.parse()?,
        connections.parse::<u64>()?,
        threads.parse::<u64>()?,
    );
    let started = Instant::now();
    let deadline = started + Duration::from_secs(seconds);
    let workers: Vec<_> = (0..threads)
        .map(|thread| {
            let (address, operation) = (address.clone(), operation.clone());
            let share = connections.div_ceil(threads);
            std::thread::spawn(move || run(&address, &operation, share, thread << 32, deadline))
        })
        .collect();
    let mut responses = 0;
    for worker in workers {
        responses += worker
            .join()
            .map_err(|_| anyhow::anyhow!("a thread panicked"))??;
    }
    let elapsed_ms = u64::try_from(started.elapsed().as_millis())?;
    println!(
        "{operation}: {} requests/s ({responses} in {elapsed_ms} ms, {connections} connections, {threads} threads)",
        responses * 1000 / elapsed_ms.max(1)
    );
    Ok(())
}
