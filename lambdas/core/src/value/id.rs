//! The ids of runs, ranges, shards, uploads and versions.

use crate::value::{printable::is_active, text::checked_text};

checked_text! {
    /// The id of a run: the name of its Step Functions execution, 1 to 80 characters without whitespace, control
    /// characters and the special ones that Step Functions refuses in a name
    /// (docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html), and without invisible ones.
    RunId, "run id", check_run
}

checked_text! {
    /// The id of a range of the key space within a run, for example `r0` or `r12`.
    RangeId, "range id", check_slice
}

checked_text! {
    /// The id of a shard within a run: the invocation of the planner that made it and its number there, for example `2-17`.
    ShardId, "shard id", check_slice
}

checked_text! {
    /// The id that S3 gave a multipart upload.
    UploadId, "upload id", check_upload
}

checked_text! {
    /// The id of a version of an object. `null` is one, too: that of an object that was written while its bucket kept no
    /// versions (docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html).
    VersionId, "version id", check_version
}

/// What Step Functions refuses in a name, beside whitespace and control characters.
const SPECIAL: &str = "<>{}[]?*\"#%\\^|~`$&,;:/";

pub(super) fn check_run(id: &str) -> Result<(), &'static str> {
    let is_ok = |c: char| !c.is_whitespace() && !SPECIAL.contains(c) && !is_active(c);
    if (1..=80).contains(&id.chars().count()) && id.chars().all(is_ok) {
        Ok(())
    } else {
        Err(
            "a run id has 1 to 80 visible characters and none of < > { } [ ] ? * \" # % \\ ^ | ~ ` $ & , ; : /",
        )
    }
}

fn check_slice(id: &str) -> Result<(), &'static str> {
    let ok = (1..=48).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
    if ok {
        Ok(())
    } else {
        Err("it has 1 to 48 lower-case letters, digits, dots or hyphens")
    }
}

fn check_upload(id: &str) -> Result<(), &'static str> {
    if id.is_empty() {
        Err("it is empty")
    } else {
        Ok(())
    }
}

fn check_version(id: &str) -> Result<(), &'static str> {
    // S3's are 32 characters long, and documented to have up to 1,024 bytes
    // (docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html).
    if (1..=1_024).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err("it has 1 to 1,024 visible ASCII characters")
    }
}

impl VersionId {
    /// Whether it is the version that a bucket without versions writes, and overwrites in place.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.0 == "null"
    }
}

impl RangeId {
    /// The range with this number; numbers are never reused within a run.
    #[must_use]
    pub fn numbered(number: u32) -> Self {
        Self(format!("r{number}"))
    }

    /// Its number; nothing for an id that no number made.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        self.0.strip_prefix('r')?.parse().ok()
    }
}

impl ShardId {
    /// The shard with this number among those that copy parts of the one object of this shard.
    #[must_use]
    pub fn part_shard(&self, number: u32) -> Self {
        Self(format!("{self}.p{number}"))
    }

    /// For a shard that copies parts: the shard of the whole object, and its own number there.
    #[must_use]
    pub fn whole(&self) -> Option<(Self, u32)> {
        let (whole, number) = self.0.rsplit_once(".p")?;
        Some((Self(whole.to_owned()), number.parse().ok()?))
    }

    /// Which of `partitions` ledger partitions holds this shard: FNV-1a over the id, stable for ever.
    #[must_use]
    pub fn partition(&self, partitions: u32) -> u32 {
        let hash = self.0.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        hash % partitions.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_spread_over_every_partition() {
        let mut seen = [0_u32; 8];
        for number in 0..800 {
            let shard = ShardId::new(format!("2-{number}")).unwrap();
            seen[shard.partition(8) as usize] += 1;
        }
        assert!(
            seen.iter().all(|&count| (50..=150).contains(&count)),
            "{seen:?}"
        );
    }

    #[test]
    fn ids_that_could_leave_their_folder_are_refused() {
        for id in ["", "../x", "a/b", "A", "x y"] {
            assert!(ShardId::new(id).is_err(), "{id}");
        }
        for id in [
            "",
            "../x",
            "a/b",
            "x y",
            "a:b",
            "a\u{202e}b",
            "a\u{200b}",
            "a\nb",
        ] {
            assert!(RunId::new(id).is_err(), "{id}");
        }
    }

    #[test]
    fn a_run_is_named_as_its_execution_may_be() {
        for id in [
            "nightly_2026-11-22",
            "1.2",
            "ops@night",
            "a+b=c",
            "it's(me)!",
            "nächtlich",
        ] {
            assert!(RunId::new(id).is_ok(), "{id}");
        }
        assert!(RunId::new("ä".repeat(80)).is_ok());
        assert!(RunId::new("a".repeat(81)).is_err());
    }
}
