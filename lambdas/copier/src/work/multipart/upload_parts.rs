//! The parts of an upload.

use std::collections::BTreeSet;

use futures::{StreamExt, stream::FuturesUnordered};
use shardlift_core::{
    access::missing_permission::MissingPermission,
    copy::part_layout::{Part, PartLayout, PartNumber},
    failure::{
        Failure,
        fault::{CallFault, FaultKind},
    },
    port::{PartReceipt, TargetBucket},
    value::id::UploadId,
};

use shardlift_worker::{
    pace::PARTS_IN_FLIGHT_MAX,
    work::{ObjectContext, PlannedObject},
};

/// Lists and copies the parts of one upload.
pub(in crate::work) struct UploadParts<'a, T> {
    pub(in crate::work) context: &'a ObjectContext<'a, T>,
    pub(in crate::work) planned: &'a PlannedObject,
    pub(in crate::work) layout: &'a PartLayout,
    pub(in crate::work) upload_id: &'a UploadId,
}

impl<T: TargetBucket> UploadParts<'_, T> {
    /// The parts that are there and fit the layout; nothing when the upload is gone.
    ///
    /// # Errors
    /// Why they cannot be listed.
    pub(in crate::work) async fn list(&self) -> Result<Option<Vec<PartReceipt>>, Failure> {
        let (calls, target_key) = (&self.context.calls, &self.planned.target_key);
        let listed = calls
            .read(|| calls.target.list_parts(target_key, self.upload_id))
            .await;
        match listed {
            Ok(mut parts) => {
                parts.retain(|receipt| fits(receipt, self.layout));
                Ok(Some(parts))
            }
            Err(fault) if fault.kind == FaultKind::NoSuchUpload => Ok(None),
            Err(fault) => {
                let permission = MissingPermission::ListParts;
                Err(self.context.explain_with(permission, self.planned, &fault))
            }
        }
    }

    /// Copies those of `parts` that `receipts` lacks, and returns the receipts of all. After the first failure no more are
    /// begun, and those in flight end first: a part that lands after the abort would keep the upload alive.
    ///
    /// # Errors
    /// The first fault.
    pub(in crate::work) async fn copy_missing(
        &self,
        parts: impl Iterator<Item = Part> + Send,
        mut receipts: Vec<PartReceipt>,
    ) -> Result<Vec<PartReceipt>, CallFault> {
        let there: BTreeSet<PartNumber> = receipts.iter().map(|receipt| receipt.number).collect();
        let mut missing = parts.filter(move |part| !there.contains(&part.number));
        let mut in_flight = FuturesUnordered::new();
        let mut first_fault = None;
        loop {
            while first_fault.is_none() && in_flight.len() < PARTS_IN_FLIGHT_MAX as usize {
                match missing.next() {
                    Some(part) => in_flight.push(self.copy(part)),
                    None => break,
                }
            }
            match in_flight.next().await {
                None => break,
                Some(Ok(receipt)) => receipts.push(receipt),
                Some(Err(fault)) => {
                    first_fault.get_or_insert(fault);
                }
            }
        }
        receipts.sort_by_key(|receipt| receipt.number);
        first_fault.map_or(Ok(receipts), Err)
    }

    /// A part whose response was lost is copied again: the same part, and a response that can be relied on.
    async fn copy(&self, part: Part) -> Result<PartReceipt, CallFault> {
        let PlannedObject {
            source, target_key, ..
        } = self.planned;
        let calls = &self.context.calls;
        calls
            .write(|| {
                calls
                    .target
                    .copy_part(source, target_key, self.upload_id, &part)
            })
            .await
    }
}

/// Whether a part that is there already is the one in the layout.
fn fits(receipt: &PartReceipt, layout: &PartLayout) -> bool {
    layout
        .part(receipt.number)
        .is_some_and(|part| receipt.size_bytes == Some(part.bytes.end() - part.bytes.start() + 1))
}
