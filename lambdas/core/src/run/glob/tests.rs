use std::cell::Cell;

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::*;

fn list(glob: &str) -> Result<GlobList, GlobListError> {
    GlobList::compile(&[glob.to_owned()])
}

/// The definition of docs/SEMANTICS.md, read literally: groups are written out, then all ways to match are tried.
mod reference {
    /// Whether the well-formed glob matches the key.
    pub(super) fn is_match(glob: &str, key: &str) -> bool {
        let key: Vec<char> = key.chars().collect();
        let glob: Vec<char> = glob.chars().collect();
        expand(&glob).iter().any(|plain| matches(plain, &key, true))
    }

    /// Where a group began or ended: wildcards on its two sides stay two.
    const EDGE: char = '\0';

    /// The globs without groups that a glob stands for.
    pub(super) fn expand(glob: &[char]) -> Vec<Vec<char>> {
        let Some(open) = find(glob, 0, &['{']) else {
            return vec![glob.to_vec()];
        };
        let (mut begin, mut ends, mut depth, mut at) = (open + 1, Vec::new(), 0, open + 1);
        loop {
            match glob[at] {
                '\\' => at += 1,
                '[' => at = class_end(glob, at),
                '{' => depth += 1,
                ',' if depth == 0 => {
                    ends.push(begin..at);
                    begin = at + 1;
                }
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                _ => {}
            }
            at += 1;
        }
        ends.push(begin..at);
        ends.into_iter()
            .flat_map(|alternative| {
                let edge: &[char] = &[EDGE];
                let whole = [
                    &glob[..open],
                    edge,
                    &glob[alternative],
                    edge,
                    &glob[at + 1..],
                ]
                .concat();
                expand(&whole)
            })
            .collect()
    }

    /// The first of these characters that is neither escaped nor in a class.
    fn find(glob: &[char], from: usize, wanted: &[char]) -> Option<usize> {
        let mut at = from;
        while at < glob.len() {
            match glob[at] {
                found if wanted.contains(&found) => return Some(at),
                '\\' => at += 1,
                '[' => at = class_end(glob, at),
                _ => {}
            }
            at += 1;
        }
        None
    }

    fn class_end(glob: &[char], open: usize) -> usize {
        let mut at = open + 1;
        while glob[at] != ']' {
            at += if glob[at] == '\\' { 2 } else { 1 };
        }
        at
    }

    fn matches(glob: &[char], key: &[char], level_start: bool) -> bool {
        let any_split = |rest: &[char], within_level: bool| {
            (0..=key.len())
                .take_while(|&n| !within_level || !key[..n].contains(&'/'))
                .any(|n| matches(rest, &key[n..], false))
        };
        match glob {
            [] => key.is_empty(),
            [EDGE, rest @ ..] => matches(rest, key, level_start),
            ['*', '*', '/', rest @ ..] if level_start => {
                matches(rest, key, true)
                    || (1..=key.len()).any(|n| key[n - 1] == '/' && matches(rest, &key[n..], true))
            }
            ['*', '*', rest @ ..] => any_split(rest, false),
            ['*', rest @ ..] => any_split(rest, true),
            ['?', rest @ ..] => {
                key.first().is_some_and(|&c| c != '/') && matches(rest, &key[1..], false)
            }
            ['[', ..] => {
                let end = class_end(glob, 0);
                key.first()
                    .is_some_and(|&c| c != '/' && in_class(&glob[1..end], c))
                    && matches(&glob[end + 1..], &key[1..], false)
            }
            ['\\', literal, rest @ ..] | [literal, rest @ ..] => {
                key.first() == Some(literal) && matches(rest, &key[1..], *literal == '/')
            }
        }
    }

    fn in_class(class: &[char], character: char) -> bool {
        match class {
            ['!', rest @ ..] => !in_items(rest, character),
            items => in_items(items, character),
        }
    }

    fn in_items(items: &[char], character: char) -> bool {
        match items {
            [] => false,
            ['\\', low, rest @ ..] => *low == character || in_items(rest, character),
            [low, '-', high, rest @ ..] => {
                (low..=high).contains(&&character) || in_items(rest, character)
            }
            [low, rest @ ..] => *low == character || in_items(rest, character),
        }
    }
}

#[test]
fn what_the_definition_names() {
    for (glob, matched, others) in [
        (
            "*.gz",
            &["a.gz", ".gz"][..],
            &["a/b.gz", "a.gz/", "A.GZ"][..],
        ),
        (
            "**.keep",
            &["a.keep", "deep/er.keep", ".keep"],
            &["a.keep/b"],
        ),
        ("archive-**", &["archive-", "archive-1/2"], &["x/archive-1"]),
        ("logs**", &["logs", "logs/a", "logs2/b"], &["log", "a/logs"]),
        ("a**b", &["ab", "a/b", "a/x/yb"], &["a", "a/b/"]),
        ("**/x", &["x", "a/x", "a//x", "/x"], &["ax", "x/"]),
        ("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["ab", "a/xb"]),
        ("**", &["", "a", "a/b/", "\n"], &[]),
        ("**/", &["", "a/", "a/b/"], &["a", "a/b"]),
        ("folder/", &["folder/"], &["folder", "folder/a"]),
        ("?", &["a", "\u{1f680}", "\n"], &["", "/", "ab"]),
        ("[a-c]x", &["ax", "cx"], &["dx", "x"]),
        ("[!a-c]", &["d", "-"], &["a", "/"]),
        ("[--0]", &["-", ".", "0"], &["/"]),
        ("[a-]", &["a", "-"], &["b"]),
        ("{a,b/**,}.x", &["a.x", "b/c/d.x", ".x"], &["b.x", "c.x"]),
        ("\\*\\{\\\\", &["*{\\"], &["a{\\"]),
        ("a,b!-", &["a,b!-"], &["a"]),
        ("{**/a,b}", &["a", "x/a", "b"], &["x/b"]),
    ] {
        let globs = list(glob).unwrap();
        for key in matched {
            assert!(globs.is_match(key), "{glob} does not match {key:?}");
            assert!(reference::is_match(glob, key), "{glob} {key:?}");
        }
        for key in others {
            assert!(!globs.is_match(key), "{glob} matches {key:?}");
            assert!(!reference::is_match(glob, key), "{glob} {key:?}");
        }
    }
}

#[test]
fn what_the_definition_lacks_is_refused_where_it_stands() {
    for (glob, position) in [
        ("", 1),
        ("***", 3),
        ("a[", 2),
        ("[]", 2),
        ("[!]", 3),
        ("[^a]", 2),
        ("[b-a]", 2),
        ("[a/b]", 3),
        ("[[:alpha:]]", 2),
        ("a]", 2),
        ("a}", 2),
        ("a{b", 2),
        ("{a,{b}", 1),
        ("ab\\", 3),
        ("{{{{{a}}}}}", 5),
        ("{a/,b}**/c", 7),
    ] {
        let Err(GlobListError::Malformed { error, .. }) = list(glob) else {
            panic!("{glob:?} was not refused");
        };
        assert_eq!(error.position, position, "{glob:?}: {error}");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    for glob in ["?".repeat(200_000), "{".repeat(5_000) + &"}".repeat(5_000)] {
        assert!(list(&glob).unwrap_err().to_string().len() < 1_000);
    }
    let many = vec!["a".to_owned(); GLOBS_MAX + 1];
    assert_eq!(
        GlobList::compile(&many).unwrap_err(),
        GlobListError::TooMany(101)
    );
    // The largest that is allowed compiles or is refused.
    let largest = vec!["?".repeat(GLOB_BYTES_MAX); GLOBS_MAX];
    assert_eq!(
        GlobList::compile(&largest).unwrap_err(),
        GlobListError::TooComplex
    );
    assert!(GlobList::compile(&["*".to_owned() + &"?".repeat(1_000)]).is_ok());
}

fn glob_strategy() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a", "b", "c", "/", ".", "é", "\n", "-", "*", "**", "**/", "/**/", "?", "[ab]", "[!a]",
        "[a-c]", "[!-é]", "[-b]", "\\*", "\\\\", "\\a", "\\/", ",", "!",
    ]);
    let sequence = prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat());
    sequence.prop_recursive(3, 24, 3, |inner| {
        (
            inner.clone(),
            prop::collection::vec(inner.clone(), 1..4),
            inner,
        )
            .prop_map(|(before, alternatives, after)| {
                format!("{before}{{{}}}{after}", alternatives.join(","))
            })
    })
}

/// A key that the glob may well match: its characters, and random ones for its wildcards.
fn key_near(glob: &str, seed: u64) -> String {
    const CHARACTERS: [char; 10] = ['a', 'b', 'c', '/', '.', 'é', '\n', '-', '*', '\\'];
    let mut state = seed | 1;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let glob: Vec<char> = glob.chars().collect();
    let expanded = reference::expand(&glob);
    let mut glob = expanded[random(expanded.len())].iter();
    let mut key = String::new();
    while let Some(&character) = glob.next() {
        match character {
            _ if random(24) == 0 => {}
            _ if random(24) == 0 => key.push(CHARACTERS[random(CHARACTERS.len())]),
            '\0' => {}
            '*' => key.extend((0..random(3)).map(|_| CHARACTERS[random(CHARACTERS.len())])),
            '?' => key.push(CHARACTERS[random(CHARACTERS.len())]),
            '[' => {
                while glob.next().is_some_and(|&c| c != ']') {}
                key.push(CHARACTERS[random(3)]);
            }
            '\\' => key.extend(glob.next()),
            literal => key.push(literal),
        }
    }
    key
}

/// 100,000 pairs of a glob and a key.
#[test]
fn the_matcher_is_the_definition() {
    let pairs = (glob_strategy(), prop::collection::vec(any::<u64>(), 20));
    let mut runner = TestRunner::new_with_rng(
        Config {
            cases: 5_000,
            failure_persistence: None,
            max_global_rejects: 20_000,
            ..Config::default()
        },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let (matched, seen) = (Cell::new(0_u32), Cell::new(0_u32));
    runner
        .run(&pairs, |(glob, seeds)| {
            let Ok(globs) = list(&glob) else {
                return Err(TestCaseError::reject("refused"));
            };
            for seed in seeds {
                let key = key_near(&glob, seed);
                let expected = reference::is_match(&glob, &key);
                prop_assert_eq!(globs.is_match(&key), expected, "{:?} {:?}", glob, key);
                seen.set(seen.get() + 1);
                matched.set(matched.get() + u32::from(expected));
            }
            Ok(())
        })
        .unwrap();
    let (matched, seen) = (matched.get(), seen.get());
    assert!(seen >= 100_000, "{seen} pairs");
    assert!(matched > seen / 8, "{matched} of {seen} match");
}
