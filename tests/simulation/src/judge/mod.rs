//! What must hold when a run has ended.
use std::rc::Rc;

use crate::cloud::Cloud;

/// Judges a run that has ended; its verdict.
pub fn ended(cloud: &Rc<Cloud>, run: usize) -> String {
    let key = format!("runs/night-{run}/report.json");
    let body = cloud.control.body(&key).unwrap_or_default();
    let report: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    report["verdict"].as_str().unwrap_or("none").to_owned()
}
/// Judges the end.
pub fn at_the_end(_cloud: &Rc<Cloud>) {}
