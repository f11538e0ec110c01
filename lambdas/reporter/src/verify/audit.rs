//! The end of an audit: the plan compared both sides, and its lists name every key that differs.

use shardlift_core::{
    documents::control_key,
    failure::{Context, Failure},
    plan::AuditSums,
    port::Ledger,
    report::{Proof, ProofMethod, Verification},
    run::{option::Verify, record::RunRecord},
    value::set_sum::SetSum,
    verify::Difference,
};

use shardlift_proof::DifferenceSink as _;

use super::differences_csv::DifferencesCsv;
use crate::{invocation::Invocation, ports::Ports};

/// What an audit found.
pub(crate) struct Audited {
    pub(crate) sums: AuditSums,
    pub(crate) found: Verification,
    /// What is the same on both sides, and what else stands at the target.
    pub(crate) proof: Proof,
}

/// Adds the lists of an audit up, and writes `differences.csv` if anything differs.
///
/// # Errors
/// When the ledger or a list cannot be read, when a list is not what the ledger counts, and when the document cannot be
/// written.
pub(crate) async fn read<P: Ports>(
    invocation: &Invocation<'_, P>,
    run: &RunRecord,
) -> Result<Audited, Failure> {
    let documents = invocation.documents();
    let mut sums = AuditSums::default();
    let (mut same, mut beside) = <(SetSum, SetSum)>::default();
    let mut found = Verification::clean(Verify::Relist);
    let mut list = DifferencesCsv::open(documents)?;
    let mut stretches = invocation.ledger.kept(&run.run_id);
    let reading = "reading what the audit compared";
    while let Some(kept) = stretches.next().await.context(reading)? {
        same.add(&kept.same);
        beside.add(&kept.beside);
        let audited = kept.audit.unwrap_or_default();
        sums.add(&audited);
        if audited.differences.sum() == 0 {
            continue;
        }
        let key = control_key::differences(&run.run_id, &kept.list_id);
        let differences: Vec<Difference> = documents.list(Some(&key)).await?;
        if differences.len() as u64 != audited.differences.sum() {
            return Err(Failure::invariant(format!(
                "the ledger counts {} differences in {key}, which has {}",
                audited.differences.sum(),
                differences.len()
            )));
        }
        for difference in differences {
            found.add(difference.kind);
            list.add(&difference).await?;
        }
    }
    if found.differences() > 0 {
        list.finish().await?;
    } else {
        list.abandon().await;
    }
    let proof = Proof {
        method: ProofMethod::Plan,
        vouched: same,
        beside: Some(beside),
        runs: Vec::new(),
    };
    Ok(Audited { sums, found, proof })
}
