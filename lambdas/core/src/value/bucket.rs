//! Bucket names.

use crate::value::text::checked_text;

checked_text! {
    /// The name of a general purpose bucket (docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
    ///
    /// Directory buckets (`--x-s3`) are refused: they do not list in key order, which planning rests on.
    BucketName, "bucket name", check
}

fn check(name: &str) -> Result<(), &'static str> {
    let inner_ok = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-');
    let alphanumeric = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    if !(3..=63).contains(&name.len()) {
        Err("it must have 3 to 63 characters")
    } else if !inner_ok {
        Err("only lower-case letters, digits, dots and hyphens may stand in it")
    } else if !alphanumeric(name.as_bytes().first()) || !alphanumeric(name.as_bytes().last()) {
        Err("it must begin and end with a letter or a digit")
    } else if name.contains("..") {
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
        for name in ["abc", "my.bucket-1", "0ab"] {
            assert!(BucketName::new(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn refuses_what_s3_refuses_and_directory_buckets() {
        let long = "a".repeat(64);
        for name in [
            "ab",
            &long,
            "Abc",
            "-abc",
            "abc-",
            "a..b",
            "a_b",
            "zone--use1-az4--x-s3",
            "s3://abc",
        ] {
            assert!(BucketName::new(name).is_err(), "{name}");
        }
    }
}
