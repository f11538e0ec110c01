//! The plan of a run that takes its objects from a list.

use shardlift_core::{
    documents::RunDocuments,
    failure::Failure,
    plan::{ListCounts, ListWay, WalkRules, range::RangeRecord},
    port::Ledger,
    run::{list::SourceList, option::Mode, record::RunRecord},
    value::deadline::Deadline,
};
use shardlift_lists::ListScope;

use super::{
    entry_lookup::EntryLookup,
    file_survey::ListSurvey,
    list_catalog::{ListCatalog, ListPlace},
    list_file::refused,
    list_plan::ListPlan,
    list_rules,
    ordered_list::OrderedList,
    surveyor::Surveyor,
};
use crate::{
    invocation_end::InvocationEnd,
    listing::ListingLoop,
    planner::Planner,
    ports::{Ports, SourceListingOf, TargetOf},
    run::RequestMeter,
};

/// The planning of what a list names, in one invocation. A list in key order is merged with a listing of the target; of any
/// other each object is looked up.
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
    /// `InvalidRun` when the list is none, names nothing, has too many wrong lines, changed since it was begun, or is out of
    /// order in a mirror; `ListingIncomplete` and what else makes a listing end. What was written before stands, and nothing
    /// is copied.
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
        if ranges.iter().any(is_by_lookups) {
            return Ok((self.by_lookups(deadline, meter).await?, None));
        }
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
        let surveyor = Surveyor::new(self.planner, self.run, &catalog);
        let surveyed = surveyor.survey(&mut survey, deadline, meter).await;
        let planned = match surveyed {
            Ok(()) => self.plan_surveyed(&catalog, &survey, deadline).await,
            Err(failure) => Err(failure),
        };
        catalog.requests().count_in(meter);
        match planned? {
            Some(end) => Ok(end),
            None => Ok((self.by_lookups(deadline, meter).await?, None)),
        }
    }

    /// Plans a list as far as it is surveyed; nothing where it is not in key order.
    async fn plan_surveyed(
        &self,
        catalog: &ListCatalog<'_, P::Lists>,
        survey: &ListSurvey,
        deadline: Deadline,
    ) -> Result<Option<ListEnd>, Failure> {
        if !survey.is_done() {
            return Ok(Some((InvocationEnd::Yielded { manifests: 0 }, None)));
        }
        let Some(files) = survey.in_order() else {
            self.check_order_matters_not()?;
            return Ok(None);
        };
        let counts = survey.counts();
        list_rules::check_whole(self.list, &counts)?;
        let (source, target) = self.sides;
        let lookup = EntryLookup::new(source, target, self.rules, self.run);
        let ordered = OrderedList::<P>::new(catalog, survey, &lookup, files);
        let lister =
            ListingLoop::of_list(self.planner, source, target, self.run, self.rules, &ordered);
        let end = lister.run(deadline).await?;
        let counts = ListCounts {
            way: ListWay::Merged,
            ..counts
        };
        Ok(Some((end, Some(counts))))
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

    /// What an inventory lacks would be deleted by a mirror, which only a merge can find.
    fn check_order_matters_not(&self) -> Result<(), Failure> {
        if self.run.spec.mode != Mode::Mirror {
            return Ok(());
        }
        Err(refused(
            &self.list.bucket,
            self.list.key.as_str(),
            "its keys are not in order within its files, or keys of one file lie between those of another, and a mirror merges the inventory with a listing of the target",
            "leave source.list out, so that the source is listed, or set the mode to sync, and start a new execution",
        ))
    }
}

fn is_by_lookups(range: &RangeRecord) -> bool {
    let checkpoint = range.checkpoint.as_ref();
    checkpoint.is_some_and(|checkpoint| checkpoint.list.is_some())
}
