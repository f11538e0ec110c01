//! Surveys a list before it is planned: reads all of its files once, some at a time.
//!
//! How far this got is a document in the control bucket, which the next invocation reads. What it says depends on nothing but
//! the list, in the version that it names: so it does not matter which of two invocations wrote it last.

use std::time::Duration;

use futures::{StreamExt, future::BoxFuture, future::FutureExt, stream::FuturesUnordered};
use shardlift_core::{
    documents::RunDocuments, failure::Failure, port::Clock, run::record::RunRecord,
    value::deadline::Deadline,
};
use shardlift_lists::LineSurvey;

use super::{
    file_survey::ListSurvey,
    list_catalog::{ListCatalog, OpenFile, ReadFor, WantedVersion},
    list_rules,
};
use crate::{planner::Planner, ports::Ports, run::RequestMeter};

/// How many files are read at once. Each takes up to some 30 MB, where it is a table.
const FILES_AT_ONCE: usize = 8;
/// How many lines are read at once.
const BATCH_LINES_MAX: u64 = 4_096;
/// A mark is set behind as many lines as so many full shards have objects: 20,000. Ranges begin at marks.
const SHARDS_PER_MARK: u64 = 2;
/// How long a planner that is killed works in vain.
const WRITE_EVERY: Duration = Duration::from_secs(60);

/// Surveys the list of a run.
pub(super) struct Surveyor<'a, P: Ports> {
    planner: &'a Planner<P>,
    run: &'a RunRecord,
    catalog: &'a ListCatalog<'a, P::Lists>,
}

/// Lines of a file.
struct Batch<'a, F> {
    file: usize,
    open: OpenFile<'a, F>,
    lines: LineSurvey,
}

type NextBatch<'a, F> = BoxFuture<'a, Result<Batch<'a, F>, Failure>>;

impl<'a, P: Ports> Surveyor<'a, P> {
    pub(super) fn new(
        planner: &'a Planner<P>,
        run: &'a RunRecord,
        catalog: &'a ListCatalog<'a, P::Lists>,
    ) -> Self {
        Self {
            planner,
            run,
            catalog,
        }
    }

    /// Reads on until everything is known or the deadline is near. Even a short invocation makes progress.
    ///
    /// # Errors
    /// `InvalidRun` when a file is no list, or another version than before.
    pub(super) async fn survey(
        &self,
        survey: &mut ListSurvey,
        deadline: Deadline,
        meter: &mut RequestMeter,
    ) -> Result<(), Failure> {
        if survey.is_done() {
            return Ok(());
        }
        let clock = &self.planner.clock;
        let mut written_at = clock.now();
        let mut left: Vec<usize> = (0..survey.files.len()).rev().collect();
        left.retain(|file| !survey.files[*file].is_read);
        let mut batches: FuturesUnordered<NextBatch<'_, P::Lists>> = FuturesUnordered::new();
        while !survey.is_done() {
            while batches.len() < FILES_AT_ONCE
                && let Some(file) = left.pop()
            {
                batches.push(self.begin(survey, file).boxed());
            }
            let Some(batch) = batches.next().await else {
                return Err(Failure::invariant("a file of the list is left unread"));
            };
            let Batch { file, open, lines } = batch?;
            self.take(survey, file, &open, &lines)?;
            if !survey.files[file].is_read {
                batches.push(self.read(file, open).boxed());
            }
            let now = clock.now();
            if deadline.is_near(now) {
                break;
            }
            if now.since(written_at) >= WRITE_EVERY {
                written_at = now;
                write(self.planner, self.run, survey, meter).await?;
            }
        }
        write(self.planner, self.run, survey, meter).await
    }

    fn take(
        &self,
        survey: &mut ListSurvey,
        file: usize,
        open: &OpenFile<'_, P::Lists>,
        lines: &LineSurvey,
    ) -> Result<(), Failure> {
        let (list, rules) = (self.catalog.list(), self.catalog.line_rules());
        let known = &mut survey.files[file];
        let per_mark = self.shard_objects().saturating_mul(SHARDS_PER_MARK);
        let taken = known.take(rules, open.version(), lines, open.position(), per_mark)?;
        survey.is_out_of_order = !taken;
        if survey.files.len() == 1 {
            list_rules::check_begin(list, &survey.counts())?;
        }
        Ok(())
    }

    /// The first lines of a file behind what is known of it.
    fn begin(
        &self,
        survey: &ListSurvey,
        file: usize,
    ) -> impl Future<Output = Result<Batch<'a, P::Lists>, Failure>> + Send + use<'a, P> {
        let known = &survey.files[file];
        let (version, at) = (known.version(), known.at.clone());
        let read_for = ReadFor::Survey(known.last().cloned());
        let (catalog, max) = (self.catalog, self.batch_lines());
        async move {
            let version = version.map_or(WantedVersion::Any, WantedVersion::Known);
            let open = catalog.open_file(file, version, at, read_for).await?;
            next_batch(file, open, max).await
        }
    }

    /// The next lines of a file.
    fn read(
        &self,
        file: usize,
        open: OpenFile<'a, P::Lists>,
    ) -> impl Future<Output = Result<Batch<'a, P::Lists>, Failure>> + Send + use<'a, P> {
        next_batch(file, open, self.batch_lines())
    }

    fn shard_objects(&self) -> u64 {
        self.planner.settings.shard_bounds.objects_max.max(1)
    }

    fn batch_lines(&self) -> u64 {
        self.shard_objects().min(BATCH_LINES_MAX)
    }
}

/// Writes what is known of the list of a run.
pub(super) async fn write<P: Ports>(
    planner: &Planner<P>,
    run: &RunRecord,
    survey: &ListSurvey,
    meter: &mut RequestMeter,
) -> Result<(), Failure> {
    let encoded = serde_json::to_vec(survey)
        .map_err(|error| Failure::invariant(format!("the survey of the list: {error}")))?;
    let documents = RunDocuments::new(&planner.control, &run.run_id);
    documents.write_list_survey(encoded).await?;
    meter.add("s3:PutObject", 1);
    Ok(())
}

async fn next_batch<F: shardlift_core::port::ListFiles>(
    file: usize,
    mut open: OpenFile<'_, F>,
    max: u64,
) -> Result<Batch<'_, F>, Failure> {
    let lines = open.survey_batch(max).await?;
    Ok(Batch { file, open, lines })
}
