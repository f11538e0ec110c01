//! docs/MODEL.md lists every conformance case, and only existing ones.

use std::collections::BTreeSet;
use std::path::Path;

/// Returns the names of the cases with their modules: `copying::five_gib_…`.
fn cases() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("the suite's folder") {
        let path = entry.expect("an entry").path();
        let module = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("a Rust file")
            .to_owned();
        let text = std::fs::read_to_string(&path).expect("a readable file");
        for test in text.split("#[tokio::test").skip(1) {
            let name = test
                .split("async fn ")
                .nth(1)
                .and_then(|rest| rest.split('(').next())
                .expect("a name");
            names.insert(format!("{module}::{name}"));
        }
    }
    names
}

#[test]
fn the_documentation_lists_exactly_the_cases_of_the_suite() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/MODEL.md");
    let text = std::fs::read_to_string(path).expect("docs/MODEL.md");
    let named: BTreeSet<String> = text
        .split('`')
        .filter(|word| {
            word.contains("::")
                && word
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "_:".contains(c))
        })
        .map(str::to_owned)
        .collect();
    assert_eq!(named, cases());
}
