//! How far a list that is in no order is sorted.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use shardlift_core::{plan::ListCounts, value::key::ObjectKey};
use shardlift_lists::RunCursor;

use super::list_catalog::FilePosition;

/// A run in key order, in blocks of the control bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SortedRun {
    /// Its name in the control bucket.
    pub(super) name: String,
    /// The last key of each block.
    pub(super) lasts: Vec<ObjectKey>,
}

/// Several runs that become one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OpenMerge {
    /// Which runs, by their places.
    pub(super) runs: Range<usize>,
    /// How far each of them is merged.
    pub(super) cursors: Vec<RunCursor>,
    /// The key that was merged last.
    pub(super) last: Option<ObjectKey>,
    /// What they become.
    pub(super) into: SortedRun,
}

/// What is being done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SortStep {
    /// The list is read on here.
    Reading { file: usize, at: FilePosition },
    /// Runs are merged.
    Merging(Option<OpenMerge>),
}

/// How far a list that is in no order is sorted. It names blocks that are written, and what it says is true whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ListSort {
    /// What the list consists of, as far as it is sorted.
    pub(super) counts: ListCounts,
    /// In the order of the list, so that of two lines with one key the first one stays.
    pub(super) runs: Vec<SortedRun>,
    step: SortStep,
    /// How many runs at the front are merged in this round.
    merged: usize,
}

impl Default for ListSort {
    /// Nothing is sorted.
    fn default() -> Self {
        Self {
            counts: ListCounts {
                is_out_of_order: true,
                ..ListCounts::default()
            },
            runs: Vec::new(),
            step: SortStep::Reading {
                file: 0,
                at: FilePosition::Begin,
            },
            merged: 0,
        }
    }
}

impl ListSort {
    /// Where the list is read on; nothing once all of it is read.
    pub(super) fn reading_from(&self) -> Option<(usize, FilePosition)> {
        match &self.step {
            SortStep::Reading { file, at } => Some((*file, at.clone())),
            SortStep::Merging(_) => None,
        }
    }

    /// Takes a run of what was read up to there.
    pub(super) fn take_run(&mut self, run: Option<SortedRun>, file: usize, at: FilePosition) {
        self.runs.extend(run);
        self.step = SortStep::Reading { file, at };
    }

    /// All of the list is read.
    pub(super) fn end_reading(&mut self) {
        self.step = SortStep::Merging(None);
    }

    /// The list in key order, once it is sorted; without a run where it names nothing.
    pub(super) fn sorted(&self) -> Option<Option<&SortedRun>> {
        let is_read = matches!(self.step, SortStep::Merging(None));
        (is_read && self.runs.len() < 2).then(|| self.runs.first())
    }

    /// The runs that are merged next, up to `at_once` of them; `name` is that of the run that they become. So many that no
    /// more than `at_once` are left for the last time, in which all of the list is written.
    pub(super) fn begin_merge(
        &mut self,
        at_once: usize,
        name: impl FnOnce() -> String,
    ) -> OpenMerge {
        if let SortStep::Merging(Some(open)) = &self.step {
            return open.clone();
        }
        let count = self.runs.len();
        let runs = if count <= at_once {
            0..count
        } else {
            let group = at_once.min(count - at_once + 1);
            if self.merged + group > count {
                self.merged = 0;
            }
            self.merged..self.merged + group
        };
        OpenMerge {
            cursors: vec![RunCursor::default(); runs.len()],
            runs,
            last: None,
            into: SortedRun {
                name: name(),
                lasts: Vec::new(),
            },
        }
    }

    /// How far a merge got.
    pub(super) fn note_merge(&mut self, open: OpenMerge) {
        self.step = SortStep::Merging(Some(open));
    }

    /// A merge has ended.
    pub(super) fn end_merge(&mut self, open: OpenMerge) {
        self.runs.splice(open.runs, [open.into]);
        self.merged += 1;
        self.step = SortStep::Merging(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each of so many runs is written until one is left, at most; and whether the order of the list is kept.
    fn writes(runs: usize, at_once: usize) -> usize {
        let run = |number: usize| SortedRun {
            name: format!("{number}"),
            lasts: Vec::new(),
        };
        let mut sort = ListSort {
            runs: (0..runs).map(run).collect(),
            ..ListSort::default()
        };
        sort.end_reading();
        let mut depths = vec![0; runs];
        while sort.sorted().is_none() {
            let open = sort.begin_merge(at_once, String::new);
            assert!((2..=at_once).contains(&open.runs.len()), "{open:?}");
            let names = sort.runs[open.runs.clone()]
                .iter()
                .map(|run| run.name.clone());
            let names: Vec<String> = names.collect();
            for name in &names {
                for number in name.split(' ') {
                    depths[number.parse::<usize>().unwrap()] += 1;
                }
            }
            let mut open = open;
            open.into.name = names.join(" ");
            sort.end_merge(open);
        }
        let numbers: Vec<String> = (0..runs).map(|number| number.to_string()).collect();
        assert_eq!(sort.runs[0].name, numbers.join(" "));
        depths.into_iter().max().unwrap()
    }

    #[test]
    fn runs_are_merged_in_their_order_and_seldom() {
        assert_eq!(writes(1, 32), 0);
        assert_eq!(writes(2, 32), 1);
        assert_eq!(writes(32, 32), 1);
        assert_eq!(writes(33, 32), 2);
        // 10^8 keys, and some 5 * 10^8.
        assert_eq!(writes(172, 32), 2);
        assert_eq!(writes(992, 32), 2);
        assert_eq!(writes(7, 2), 3);
        for runs in 1..70 {
            for at_once in 2..9 {
                writes(runs, at_once);
            }
        }
    }
}
