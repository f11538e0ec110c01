//! Sorts a list that is in no order, in bounded memory: what is read becomes sorted runs in the control bucket, and these are
//! merged until one is left, which is read like a list in key order.
//!
//! How far this got lies in the survey of the list. The blocks of a run are written before the survey names it, under names
//! that no other invocation writes, or under the same names with the same content.

use std::{sync::Arc, time::Duration};

use shardlift_core::{
    failure::Failure,
    port::Clock,
    run::record::RunRecord,
    value::{deadline::Deadline, time::Timestamp},
};
use shardlift_lists::{
    LinePlace, ListEntry, ListItem, RepeatedEntries, RunMerge, RunMergeStep, SortBounds, SortBuffer,
};

use super::{
    block_traffic::BlockTraffic,
    file_survey::{ListSurvey, again},
    list_catalog::{FilePosition, ListCatalog, OpenFile, ReadFor, WantedVersion},
    list_rules,
    list_sort::{ListSort, OpenMerge, SortedRun},
    surveyor,
};
use crate::{planner::Planner, ports::Ports, run::RequestMeter};

/// How many lines are read at once.
const BATCH_LINES_MAX: usize = 4_096;
/// How long a planner that is killed works in vain.
const WRITE_EVERY: Duration = Duration::from_secs(60);

/// Sorts the list of a run.
pub(super) struct Sorter<'a, P: Ports> {
    planner: &'a Planner<P>,
    run: &'a RunRecord,
    catalog: &'a ListCatalog<'a, P::Lists>,
    names: Vec<Arc<str>>,
    deadline: Deadline,
}

/// When the survey is written next.
struct Pace {
    written_at: Timestamp,
    deadline: Deadline,
}

/// What time it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    Nothing,
    Write,
    End,
}

impl Pace {
    fn due(&mut self, now: Timestamp) -> Due {
        if self.deadline.is_near(now) {
            return Due::End;
        }
        if now.since(self.written_at) < WRITE_EVERY {
            return Due::Nothing;
        }
        self.written_at = now;
        Due::Write
    }
}

impl<'a, P: Ports> Sorter<'a, P> {
    pub(super) fn new(
        planner: &'a Planner<P>,
        run: &'a RunRecord,
        catalog: &'a ListCatalog<'a, P::Lists>,
        deadline: Deadline,
    ) -> Self {
        Self {
            planner,
            run,
            catalog,
            names: catalog.names(),
            deadline,
        }
    }

    /// Sorts until the list is sorted or the deadline is near. Even a short invocation makes progress.
    ///
    /// # Errors
    /// `InvalidRun` when a file is no list, or another version than before.
    pub(super) async fn sort(
        &self,
        survey: &mut ListSurvey,
        meter: &mut RequestMeter,
    ) -> Result<(), Failure> {
        let mut sort = survey.begin_sort();
        if sort.sorted().is_some() {
            survey.keep_sort(sort);
            return Ok(());
        }
        let mut pace = Pace {
            written_at: self.planner.clock.now(),
            deadline: self.deadline,
        };
        let mut runs = 0;
        let mut due = Due::Nothing;
        while due != Due::End && sort.sorted().is_none() {
            runs += 1;
            let name = || format!("{}-{runs}", self.run.revision);
            due = if let Some((file, at)) = sort.reading_from() {
                let read = self.read_run(survey, &mut sort, (file, at), name(), &mut pace, meter);
                read.await?
            } else {
                let open = sort.begin_merge(self.bounds().runs_at_once, name);
                self.merge(&mut sort, open, &mut pace, meter).await?
            };
            if due == Due::Write {
                self.write(survey, &sort, meter).await?;
            }
        }
        self.write(survey, &sort, meter).await?;
        survey.keep_sort(sort);
        Ok(())
    }

    fn bounds(&self) -> SortBounds {
        self.planner.settings.sort_bounds
    }

    async fn write(
        &self,
        survey: &mut ListSurvey,
        sort: &ListSort,
        meter: &mut RequestMeter,
    ) -> Result<(), Failure> {
        survey.keep_sort(sort.clone());
        surveyor::write(self.planner, self.run, survey, meter).await
    }

    /// Reads on as much as is sorted at once, through as many files as that takes, and writes a run of it.
    async fn read_run(
        &self,
        survey: &mut ListSurvey,
        sort: &mut ListSort,
        (mut file, mut at): (usize, FilePosition),
        name: String,
        pace: &mut Pace,
        meter: &mut RequestMeter,
    ) -> Result<Due, Failure> {
        let mut buffer = SortBuffer::default();
        let mut due = Due::Nothing;
        'files: while file < self.catalog.files() {
            let mut open = self.open(survey, file, at).await?;
            loop {
                let items = open.next_batch(BATCH_LINES_MAX).await?;
                let is_end = items.is_empty();
                self.take(sort, &mut buffer, file, items)?;
                list_rules::check_begin(self.catalog.list(), &sort.counts)?;
                due = pace.due(self.planner.clock.now());
                (file, at) = if is_end {
                    (file + 1, FilePosition::Begin)
                } else {
                    (file, open.position())
                };
                if due != Due::Nothing || buffer.bytes() >= self.bounds().run_bytes_max {
                    break 'files;
                }
                if is_end {
                    break;
                }
            }
        }
        let run = self.store(sort, buffer, name, meter).await?;
        let is_read = file >= self.catalog.files();
        sort.take_run(run, file, at);
        if is_read {
            sort.end_reading();
        }
        Ok(due)
    }

    async fn open(
        &self,
        survey: &mut ListSurvey,
        file: usize,
        at: FilePosition,
    ) -> Result<OpenFile<'a, P::Lists>, Failure> {
        let known = &mut survey.files[file];
        let version = known.version();
        let version = version.map_or(WantedVersion::Any, WantedVersion::Known);
        let opened = self.catalog.open_file(file, version, at, ReadFor::Lines);
        let open = opened.await?;
        known.note_version(open.version());
        Ok(open)
    }

    fn take(
        &self,
        sort: &mut ListSort,
        buffer: &mut SortBuffer,
        file: usize,
        items: Vec<ListItem>,
    ) -> Result<(), Failure> {
        let rules = self.catalog.line_rules();
        let file = u32::try_from(file)
            .map_err(|_| Failure::invariant("a list has more files than numbers"))?;
        for item in items {
            match item {
                ListItem::Entry(entry) => {
                    let entry: ListEntry = rules.taken(entry)?;
                    buffer.push(&entry, file)?;
                    sort.counts.objects += 1;
                }
                ListItem::LeftOut(line) => sort.counts.add_left_out(line.is_outside()),
                ListItem::Bad(line) => sort.counts.add_wrong(&line),
            }
        }
        Ok(())
    }

    /// Sorts what was read and writes it; nothing where it names no object.
    async fn store(
        &self,
        sort: &mut ListSort,
        buffer: SortBuffer,
        name: String,
        meter: &mut RequestMeter,
    ) -> Result<Option<SortedRun>, Failure> {
        if buffer.bytes() == 0 {
            return Ok(None);
        }
        let bounds = self.bounds();
        let sorted = tokio::task::spawn_blocking(move || buffer.sorted(bounds));
        let mut entries = sorted.await.map_err(|_| gone())??;
        let mut run = SortedRun {
            name,
            lasts: Vec::new(),
        };
        let mut traffic = self.traffic();
        while let Some(block) = entries.next_block()? {
            traffic.write(&mut run, block).await?;
        }
        traffic.drain().await?;
        traffic.count_in(meter);
        self.count_repeated(sort, &entries.into_repeated());
        Ok(Some(run))
    }

    /// Merges on; ends with the merge, or when it is time to write down how far it got.
    async fn merge(
        &self,
        sort: &mut ListSort,
        mut open: OpenMerge,
        pace: &mut Pace,
        meter: &mut RequestMeter,
    ) -> Result<Due, Failure> {
        let block_bytes = self.bounds().block_bytes.1;
        let mut merge = RunMerge::resume(&open.cursors, open.last.as_ref(), block_bytes);
        let inputs: Vec<SortedRun> = sort.runs[open.runs.clone()].to_vec();
        let mut traffic = self.traffic();
        for (run, cursor) in inputs.iter().zip(&open.cursors) {
            traffic.ask(run, cursor.block);
        }
        let mut due = Due::Nothing;
        let mut is_ended = false;
        while due == Due::Nothing && !is_ended {
            let written = match merge.step()? {
                RunMergeStep::NeedsBlock(run) => {
                    let at = merge.cursor(run);
                    let block = traffic.read(&inputs[run], at.block).await?;
                    merge.feed(run, block)?;
                    // Of lines that name the same objects again and again no block comes.
                    let has_moved = open.cursors.get(run) != Some(&at);
                    if has_moved {
                        due = pace.due(self.planner.clock.now());
                    }
                    if due == Due::Nothing {
                        continue;
                    } else {
                        merge.cut()?
                    }
                }
                RunMergeStep::Block(block) => Some(block),
                RunMergeStep::End => {
                    is_ended = true;
                    None
                }
            };
            if let Some(block) = written {
                traffic.write(&mut open.into, block).await?;
            }
            let repeated = merge.take_repeated();
            self.count_repeated(sort, &repeated);
            if due == Due::Nothing {
                due = pace.due(self.planner.clock.now());
            }
        }
        traffic.drain().await?;
        traffic.count_in(meter);
        if is_ended {
            sort.end_merge(open);
        } else {
            (open.cursors, open.last) = (merge.cursors(), merge.last()?);
            sort.note_merge(open);
        }
        Ok(due)
    }

    fn traffic(&self) -> BlockTraffic<'a, P::Control> {
        BlockTraffic::new(&self.planner.control, &self.run.run_id)
    }

    fn count_repeated(&self, sort: &mut ListSort, repeated: &RepeatedEntries) {
        let counts = &mut sort.counts;
        counts.objects -= repeated.count;
        let named = repeated.first.iter().filter_map(|place| {
            let file = usize::try_from(place.file).ok()?;
            let file = self.names.get(file)?.clone();
            let line = place.line;
            Some(again(&LinePlace { file, line }))
        });
        let unnamed = repeated.count - repeated.first.len() as u64;
        named.for_each(|problem| counts.add_repeated(&problem));
        counts.repeated += unnamed;
    }
}

fn gone() -> Failure {
    Failure::invariant("the sorting of a list has gone")
}
