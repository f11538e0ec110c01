//! JSON lines and receipts.

use shardlift_lists::TextFormat;

use super::{
    case::{Case, Expected, Input},
    writers::zstd,
};

/// JSON lines: a good one, a wrong one and another good one.
fn json_line(
    name: &'static str,
    line: impl AsRef<[u8]>,
    problem: &'static [(u64, &'static str)],
) -> Case {
    let good = "{\"key\":\"data/good\"}\n".as_bytes();
    let text = [good, line.as_ref(), b"\n", good].concat();
    let input = Input::Text(TextFormat::Jsonl, text);
    Case {
        name,
        input,
        expected: Expected::Lines(2, problem),
    }
}

fn receipt(name: &'static str, line: &str, problem: &'static [(u64, &'static str)]) -> Case {
    let input = Input::Text(TextFormat::Receipts, zstd(line.as_bytes()));
    Case {
        name,
        input,
        expected: Expected::Lines(0, problem),
    }
}

#[expect(clippy::too_many_lines, reason = "a table, case by case")]
pub(crate) fn all() -> Vec<Case> {
    let deep = format!("{{\"key\":\"data/x\",\"more\":{}", "[".repeat(60_000));
    vec![
        json_line("no JSON", "data/x", &[(2, "no JSON object")]),
        json_line(
            "a JSON array",
            "[null,\"data/x\"]",
            &[(2, "expected an object")],
        ),
        json_line("a JSON text", "\"data/x\"", &[(2, "expected an object")]),
        json_line(
            "JSON cut off",
            "{\"key\":\"data/x",
            &[(2, "no JSON object")],
        ),
        json_line(
            "two JSON objects",
            "{\"key\":\"data/x\"}{\"key\":\"data/y\"}",
            &[(2, "no JSON object")],
        ),
        json_line("JSON as deep as it is long", deep, &[(2, "no JSON object")]),
        json_line(
            "JSON without a key",
            "{\"Key\":\"data/x\"}",
            &[(2, "the line has no key")],
        ),
        json_line(
            "a key of null",
            "{\"key\":null}",
            &[(2, "the line has no key")],
        ),
        json_line("a key of a number", "{\"key\":7}", &[(2, "no JSON object")]),
        json_line(
            "a key twice",
            "{\"key\":\"data/x\",\"key\":\"data/y\"}",
            &[(2, "duplicate field")],
        ),
        json_line(
            "two ETags",
            "{\"key\":\"data/x\",\"etag\":\"a\",\"e_tag\":\"b\"}",
            &[(2, "duplicate field")],
        ),
        json_line(
            "a NUL in JSON",
            "{\"key\":\"data/\\u0000\"}",
            &[(2, "NUL character in the key")],
        ),
        json_line(
            "half of a surrogate in JSON",
            "{\"key\":\"data/\\ud83d\"}",
            &[(2, "no JSON object")],
        ),
        json_line(
            "JSON in Latin-1",
            b"{\"key\":\"data/\xfc\"}",
            &[(2, "no JSON object")],
        ),
        json_line(
            "a size of a fraction",
            "{\"key\":\"data/x\",\"size\":1.5}",
            &[(2, "no JSON object")],
        ),
        json_line(
            "a size beyond 64 bits",
            "{\"key\":\"data/x\",\"size\":99999999999999999999}",
            &[(2, "no JSON object")],
        ),
        json_line(
            "a size of a text",
            "{\"key\":\"data/x\",\"size\":\"1\"}",
            &[(2, "no JSON object")],
        ),
        json_line(
            "JSON of another bucket",
            "{\"bucket\":\"b\",\"key\":\"data/x\"}",
            &[(2, "the bucket is \"b\"")],
        ),
        receipt(
            "an outcome that is none",
            "{\"key\":\"x\",\"outcome\":\"moved\"}\n",
            &[(1, "unknown variant")],
        ),
        receipt(
            "a receipt without a key",
            "{\"outcome\":\"copied\"}\n",
            &[(1, "the line has no key")],
        ),
        receipt(
            "a receipt without an outcome",
            "{\"key\":\"x\"}\n",
            &[(1, "missing field `outcome`")],
        ),
    ]
}
