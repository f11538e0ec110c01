//! Bucket names.

use crate::value::text::checked_text;

checked_text! {
    /// The name of a general purpose bucket (docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html). Until
    /// March 2018, a bucket in us-east-1 could also be named with up to 255 characters, capitals and underscores
    /// among them; such a bucket still exists under its name.
    ///
    /// Directory buckets (`--x-s3`) are refused: they do not list in key order, which planning rests on.
    BucketName, "bucket name", check
}

fn check(name: &str) -> Result<(), &'static str> {
    let is_label = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let is_of_today =
        name.len() <= 63 && !name.bytes().any(|b| b == b'_' || b.is_ascii_uppercase());
    let alphanumeric = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let ends = (name.as_bytes().first(), name.as_bytes().last());
    if !(3..=255).contains(&name.len()) {
        Err("it must have 3 to 63 characters (up to 255 in buckets from before March 2018)")
    } else if !name.bytes().all(is_label) {
        Err("only letters, digits, dots, hyphens and underscores may stand in it")
    } else if is_of_today && !(alphanumeric(ends.0) && alphanumeric(ends.1)) {
        Err("it must begin and end with a letter or a digit")
    } else if is_of_today && name.contains("..") {
        Err("two dots may not stand side by side")
    } else if name.ends_with("--x-s3") {
        Err("directory buckets (--x-s3) do not list in key order; use a general purpose bucket")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::BucketName;

    #[test]
    fn takes_what_s3_takes() {
        let old = format!("{}_Old", "a".repeat(251));
        for name in ["abc", "my.bucket-1", "0ab", "Old_Bucket.2010", &old] {
            assert!(BucketName::new(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn refuses_what_s3_refuses_and_directory_buckets() {
        let long = "a".repeat(256);
        for name in [
            "ab",
            &long,
            "a bc",
            "ümlaut",
            "-abc",
            "abc-",
            "a..b",
            "a/b",
            "zone--use1-az4--x-s3",
            "s3://abc",
        ] {
            assert!(BucketName::new(name).is_err(), "{name}");
        }
    }
}
