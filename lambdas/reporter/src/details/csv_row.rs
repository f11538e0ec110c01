//! A row of `failures.csv`.

use shardlift_core::{
    documents::failure_list::FailedObject,
    failure::Failure,
    value::{
        cell::to_cell,
        id::{ShardId, VersionId},
    },
};
use shardlift_proof::csv_row::write_record;

/// The columns.
const HEADER: [&str; 6] = ["key", "size", "reason", "detail", "shard", "version_id"];

/// Writes the header.
pub(super) fn write_header(out: &mut Vec<u8>) -> Result<(), Failure> {
    write_record(out, &HEADER)
}

/// Writes the row of a failed object.
pub(super) fn write(
    out: &mut Vec<u8>,
    object: &FailedObject,
    shard_id: &ShardId,
) -> Result<(), Failure> {
    write_record(
        out,
        &[
            to_cell(object.key.as_str()).as_ref(),
            &object.size.to_string(),
            object.code.name(),
            to_cell(&object.detail).as_ref(),
            shard_id.as_str(),
            object.version_id.as_ref().map_or("", VersionId::as_str),
        ],
    )
}

#[cfg(test)]
mod tests {
    use shardlift_core::{
        failure::FailureCode,
        value::{cell::from_cell, key::ObjectKey},
    };

    use super::*;

    fn failed(key: &str) -> FailedObject {
        FailedObject {
            index: 0,
            key: ObjectKey::new(key).unwrap(),
            version_id: None,
            size: 1,
            code: FailureCode::AccessDenied,
            detail: key.to_owned(),
        }
    }

    fn cell(key: &str) -> String {
        let object = failed(key);
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
            assert_eq!(from_cell(&cell), key);
        }
    }

    #[test]
    fn a_spreadsheet_that_splits_at_semicolons_finds_no_formula_either() {
        let key = "a;=cmd|' /C calc'!A0\n@x;\"\n=1";
        let mut body = Vec::new();
        write(&mut body, &failed(key), &ShardId::new("1-0").unwrap()).unwrap();
        // As Excel and LibreOffice read a file in a locale whose separator is the semicolon.
        let mut split = csv::ReaderBuilder::new();
        split.delimiter(b';').has_headers(false).flexible(true);
        let mut cells = 0;
        for row in split.from_reader(body.as_slice()).records() {
            for cell in &row.unwrap() {
                cells += 1;
                assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
            }
        }
        assert!(
            cells > 3,
            "it was split: {}",
            String::from_utf8_lossy(&body)
        );
        // And by a reader that knows no quotes at all.
        for cell in String::from_utf8(body)
            .unwrap()
            .split([';', ',', '\n', '\t'])
        {
            assert!(
                !cell
                    .trim_start_matches('"')
                    .starts_with(['=', '+', '-', '@']),
                "{cell}"
            );
        }
    }
}
