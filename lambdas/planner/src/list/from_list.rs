//! The plan of a run that takes its objects from a list.

use shardlift_core::{
    documents::RunDocuments,
    failure::Failure,
    plan::{ListCounts, ListWay, WalkRules},
    port::Ledger,
    run::{list::SourceList, record::RunRecord},
    value::deadline::Deadline,
};
use shardlift_lists::ListScope;

use super::{
    entry_lookup::EntryLookup,
    file_survey::ListSurvey,
    list_catalog::{ListCatalog, ListPlace},
    list_plan::ListPlan,
    list_rules,
    ordered_list::OrderedList,
    ordered_parts::{SortedBlocks, SurveyedFiles},
    sorter::Sorter,
    surveyor::Surveyor,
};
use crate::{
    invocation_end::InvocationEnd,
    listing::ListingLoop,
    planner::Planner,
    ports::{Ports, SourceListingOf, TargetOf},
    run::RequestMeter,
};

/// The planning of what a list names, in one invocation. A list in no order is sorted; then it is merged with a listing of the
/// target. The few keys of events are looked up instead.
pub(crate) struct FromList<'a, P: Ports> {
    planner: &'a Planner<P>,
    sides: (&'a SourceListingOf<'a, P>, &'a TargetOf<P>),
    rules: &'a WalkRules,
    run: &'a RunRecord,
    list: &'a SourceList,
}

/// How the planning of one invocation ended, and what the list consists of, where no range of the ledger tells.
pub(crate) type ListEnd = (InvocationEnd, Option<ListCounts>);

impl<'a, P: Ports> FromList<'a, P> {
    /// That of `run`, which takes its objects from `list`.
    pub(crate) fn new(
        planner: &'a Planner<P>,
        sides: (&'a SourceListingOf<'a, P>, &'a TargetOf<P>),
        rules: &'a WalkRules,
        run: &'a RunRecord,
        list: &'a SourceList,
    ) -> Self {
        Self {
            planner,
            sides,
            rules,
            run,
            list,
        }
    }

    /// Surveys the list, and then plans until it ends or the deadline is near. Even a short invocation makes progress.
    ///
    /// # Errors
    /// `InvalidRun` when the list is none, names nothing, has too many wrong lines, or changed since it was begun;
    /// `ListingIncomplete` and what else makes a listing end. What was written before stands, and nothing is copied.
    pub(crate) async fn run(
        &self,
        deadline: Deadline,
        meter: &mut RequestMeter,
    ) -> Result<ListEnd, Failure> {
        // Of the few keys of events each is looked up, also to find whether it was deleted.
        if self.run.spec.events.is_some() {
            return Ok((self.by_lookups(deadline, meter).await?, None));
        }
        let ranges = self.planner.ledger.read_ranges(&self.run.run_id).await?;
        let stored = self.stored_survey(meter).await?;
        let is_begun = ranges.len() > 1 || ranges.iter().any(|range| range.checkpoint.is_some());
        if is_begun && stored.is_none() {
            return Err(Failure::invariant(
                "the survey of the list is gone from the control bucket, and ranges of it are planned",
            ));
        }
        let etag = stored.as_ref().map(|survey| &survey.etag);
        let catalog = ListCatalog::open(self.place(), etag).await?;
        let begin = || ListSurvey::begin(catalog.etag().clone(), catalog.files());
        let mut survey = stored.unwrap_or_else(begin);
        let planned = self.plan(&catalog, &mut survey, deadline, meter).await;
        catalog.requests().count_in(meter);
        planned
    }

    /// Surveys the list, sorts it where it is in no order, and plans it: as far as this invocation gets.
    async fn plan(
        &self,
        catalog: &ListCatalog<'_, P::Lists>,
        survey: &mut ListSurvey,
        deadline: Deadline,
        meter: &mut RequestMeter,
    ) -> Result<ListEnd, Failure> {
        let yielded = || (InvocationEnd::Yielded { manifests: 0 }, None);
        let surveyor = Surveyor::new(self.planner, self.run, catalog);
        surveyor.survey(survey, deadline, meter).await?;
        if !survey.is_done() {
            return Ok(yielded());
        }
        let (source, target) = self.sides;
        let lookup = EntryLookup::new(source, target, self.rules, self.run);
        let (ordered, counts) = if let Some(files) = survey.in_order() {
            let counts = survey.counts();
            let files = SurveyedFiles::new(catalog, survey, files);
            (OrderedList::<P>::of_files(files, &lookup), counts)
        } else {
            let sorter = Sorter::new(self.planner, self.run, catalog, deadline);
            sorter.sort(survey, meter).await?;
            let sort = survey.sort.as_deref();
            let Some((sort, sorted)) = sort.and_then(|sort| Some((sort, sort.sorted()?))) else {
                return Ok(yielded());
            };
            list_rules::check_whole(self.list, &sort.counts)?;
            let sorted = sorted.ok_or_else(|| Failure::invariant("the sorted list is gone"))?;
            let place = (&self.planner.control, &self.run.run_id);
            let blocks = SortedBlocks::new(place, sorted, catalog);
            (
                OrderedList::<P>::of_blocks(blocks, &lookup),
                sort.counts.clone(),
            )
        };
        list_rules::check_whole(self.list, &counts)?;
        let lister =
            ListingLoop::of_list(self.planner, source, target, self.run, self.rules, &ordered);
        let end = lister.run(deadline).await?;
        let counts = ListCounts {
            way: ListWay::Merged,
            ..counts
        };
        Ok((end, Some(counts)))
    }

    async fn by_lookups(
        &self,
        deadline: Deadline,
        meter: &mut RequestMeter,
    ) -> Result<InvocationEnd, Failure> {
        let plan = ListPlan::new(self.planner, self.sides, self.rules, self.run, self.list);
        plan.run(deadline, meter).await
    }

    fn place(&self) -> ListPlace<'a, P::Lists> {
        let pair = &self.run.spec.pair;
        ListPlace {
            files: &self.planner.lists,
            list: self.list,
            scope: ListScope {
                bucket: pair.source.bucket.clone(),
                prefix: pair.source.prefix.clone(),
            },
            ceilings: &self.planner.settings.ceilings,
        }
    }

    async fn stored_survey(&self, meter: &mut RequestMeter) -> Result<Option<ListSurvey>, Failure> {
        let documents = RunDocuments::new(&self.planner.control, &self.run.run_id);
        let stored = documents.list_survey().await?;
        meter.add("s3:GetObject", 1);
        Ok(stored.and_then(|stored| ListSurvey::read(&stored)))
    }
}
