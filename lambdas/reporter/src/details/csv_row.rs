//! A row of `failures.csv`.

use shardlift_core::{documents::failure_list::FailedObject, failure::Failure, value::id::ShardId};

/// The columns.
const HEADER: [&str; 5] = ["key", "size", "reason", "detail", "shard"];

/// Writes the header.
pub(super) fn write_header(out: &mut Vec<u8>) -> Result<(), Failure> {
    write_record(out, HEADER)
}

/// Writes the row of a failed object.
pub(super) fn write(
    out: &mut Vec<u8>,
    object: &FailedObject,
    shard_id: &ShardId,
) -> Result<(), Failure> {
    write_record(
        out,
        [
            inert(object.key.as_str()).as_ref(),
            &object.size.to_string(),
            object.code.name(),
            inert(&object.detail).as_ref(),
            shard_id.as_str(),
        ],
    )
}

fn write_record(out: &mut Vec<u8>, cells: [&str; 5]) -> Result<(), Failure> {
    let broken = |error: &dyn std::fmt::Display| {
        Failure::invariant(format!("failures.csv cannot be written: {error}"))
    };
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .buffer_capacity(1024)
        .from_writer(out);
    writer.write_record(cells).map_err(|error| broken(&error))?;
    writer.flush().map_err(|error| broken(&error))
}

/// A text that no spreadsheet takes for a formula: one that begins like a formula, or with an apostrophe, gets an
/// apostrophe in front. Taking the first apostrophe of a cell away gives every text back (P6).
fn inert(text: &str) -> std::borrow::Cow<'_, str> {
    const FORMULA_OPENINGS: [char; 12] = [
        '=', '+', '-', '@', '\t', '\r', '\n', '\'', '＝', '＋', '－', '＠',
    ];
    if text.starts_with(FORMULA_OPENINGS) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use shardlift_core::{failure::FailureCode, value::key::ObjectKey};

    use super::*;

    fn cell(key: &str) -> String {
        let object = FailedObject {
            index: 0,
            key: ObjectKey::new(key).unwrap(),
            size: 1,
            code: FailureCode::AccessDenied,
            detail: key.to_owned(),
        };
        let mut body = Vec::new();
        write_header(&mut body).unwrap();
        write(&mut body, &object, &ShardId::new("1-0").unwrap()).unwrap();
        let record = csv::Reader::from_reader(body.as_slice())
            .records()
            .next()
            .unwrap()
            .unwrap();
        assert_eq!(record[0], record[3]);
        assert_eq!(&record[4], "1-0");
        record[0].to_owned()
    }

    #[test]
    fn hostile_keys_are_no_formulas_and_come_back_byte_for_byte() {
        for key in [
            "=cmd|' /C calc'!A0",
            "+1",
            "-2+3",
            "@SUM(A1)",
            "\t=1",
            "'quoted",
            "＝1",
            "plain",
            "a,b\"c\r\nd;e",
            "\u{feff}x",
        ] {
            let cell = cell(key);
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '＝']),
                "{cell}"
            );
            assert_eq!(cell.strip_prefix('\'').unwrap_or(&cell), key);
        }
    }
}
