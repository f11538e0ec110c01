//! Metrics in CloudWatch's embedded format: one JSON line that CloudWatch Logs turns into data points
//! (docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use shardlift_core::value::time::Timestamp;

/// The namespace of every metric.
pub const NAMESPACE: &str = "Shardlift";

/// The unit of a metric, as CloudWatch names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Milliseconds,
    /// Percent.
    Percent,
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Bytes => "Bytes",
            Self::Milliseconds => "Milliseconds",
            Self::Percent => "Percent",
        }
    }
}

/// One line of metrics: data points of the same time and dimensions.
#[derive(Debug, Clone)]
pub struct MetricLine {
    at: Timestamp,
    dimensions: Vec<(&'static str, String)>,
    metrics: Vec<(&'static str, Unit, u64)>,
    properties: Vec<(&'static str, String)>,
}

impl MetricLine {
    /// A line for this time. Each combination of dimension values is a separate metric that is billed monthly, so
    /// dimensions are functions and modes, and never runs or shards.
    #[must_use]
    pub fn new(at: Timestamp, dimensions: Vec<(&'static str, String)>) -> Self {
        Self {
            at,
            dimensions,
            metrics: Vec::new(),
            properties: Vec::new(),
        }
    }

    /// Adds a data point.
    #[must_use]
    pub fn with(mut self, name: &'static str, unit: Unit, value: u64) -> Self {
        self.metrics.push((name, unit, value));
        self
    }

    /// Adds a property, which can be searched for in the logs but is not a metric.
    #[must_use]
    pub fn noting(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.properties.push((name, value.into()));
        self
    }

    /// Prints the line to the standard output, where Lambda collects it.
    ///
    /// # Errors
    /// When the standard output cannot be written.
    pub fn emit(&self) -> io::Result<()> {
        self.write_to(&mut io::stdout().lock())
    }

    /// Writes the line to `out`.
    ///
    /// # Errors
    /// What `out` reports.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}", self.document())
    }

    fn document(&self) -> Value {
        let names: Vec<&str> = self.dimensions.iter().map(|(name, _)| *name).collect();
        let definitions: Vec<Value> = self
            .metrics
            .iter()
            .map(|(name, unit, _)| json!({"Name": name, "Unit": unit.name()}))
            .collect();
        let mut document = Map::new();
        for (name, text) in self.dimensions.iter().chain(&self.properties) {
            document.insert((*name).to_owned(), json!(text));
        }
        for (name, _, value) in &self.metrics {
            document.insert((*name).to_owned(), json!(value));
        }
        document.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": self.at.as_millis(),
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [names],
                    "Metrics": definitions,
                }],
            }),
        );
        Value::Object(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_document_that_defines_its_metrics() {
        let mut out = Vec::new();
        MetricLine::new(
            Timestamp::from_millis(1_700_000_000_000),
            vec![("Function", "copier".to_owned())],
        )
        .with("ObjectsCopied", Unit::Count, 7)
        .noting("run.id", "nightly\n1")
        .write_to(&mut out)
        .unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "one line");
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["ObjectsCopied"], 7);
        assert_eq!(document["Function"], "copier");
        let directive = &document["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([["Function"]]));
        assert_eq!(directive["Metrics"][0]["Unit"], "Count");
    }
}
