//! Bars as inline SVG. The picture stretches with the page, so texts stand beside it, not in it.

use std::time::Duration;

use maud::{Markup, html};
use shardlift_core::value::figures;

use super::charts::{Charts, ShardGroup};

/// The size of the picture in its own units; the page stretches it.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 120.0;

/// One bar: its height, the bad part of it, and its tooltip.
struct Bar {
    good: f64,
    bad: f64,
    tooltip: String,
}

/// Objects and bytes per second, over the time of the run.
pub(super) fn throughput(charts: &Charts) -> Markup {
    let stretch_seconds = charts.stretch_ms() / 1_000.0;
    let rates = |amount: fn(&super::charts::Stretch) -> f64, label: fn(f64) -> String| {
        charts
            .over_time()
            .iter()
            .map(|stretch| {
                let rate = amount(stretch) / stretch_seconds;
                Bar {
                    good: rate,
                    bad: 0.0,
                    tooltip: label(rate),
                }
            })
            .collect::<Vec<_>>()
    };
    let span = stretch_seconds * charts.over_time().len() as f64;
    let end = figures::duration(Duration::from_secs_f64(span));
    html! {
        section {
            h2 { "Throughput over time" }
            (picture("objects per second", &rates(|stretch| stretch.objects, objects_per_second), "start", &end))
            (picture("bytes per second", &rates(|stretch| stretch.bytes, bytes_per_second), "start", &end))
        }
    }
}

/// Objects per second by shard, or by group of shards where there are many.
pub(super) fn by_shard(charts: &Charts) -> Markup {
    let groups = charts.by_shard();
    let bars: Vec<Bar> = groups.iter().map(bar_of_group).collect();
    let per_group = groups.iter().map(|group| group.shards).max().unwrap_or(1);
    let (first, last) = match (groups.first(), groups.last()) {
        (Some(first), Some(last)) => (first.first.as_str(), last.first.as_str()),
        _ => return html! {},
    };
    html! {
        section {
            h2 { "Throughput by shard" }
            @if per_group > 1 {
                p.faint { "Each bar stands for " (figures::grouped(per_group)) " neighboring shards." }
            }
            (picture("objects per second while copying; red: not copied", &bars, first, last))
        }
    }
}

fn bar_of_group(group: &ShardGroup) -> Bar {
    #[expect(clippy::cast_precision_loss, reason = "a chart shows three digits")]
    let (objects, failed, busy_ms) = (
        group.objects as f64,
        group.failed as f64,
        group.busy_ms.max(1) as f64,
    );
    // What failed is drawn at the pace of what was copied, so that its share of the bar is its share of the objects.
    let rate = |count: f64| count / busy_ms * 1_000.0;
    Bar {
        good: rate(objects),
        bad: rate(failed),
        tooltip: format!(
            "{}: {} copied ({}), {} not copied, {}",
            group.first,
            figures::grouped(group.objects),
            figures::bytes(group.bytes),
            figures::grouped(group.failed),
            objects_per_second(rate(objects)),
        ),
    }
}

fn picture(unit: &str, bars: &[Bar], left: &str, right: &str) -> Markup {
    let highest = bars
        .iter()
        .map(|bar| bar.good + bar.bad)
        .fold(f64::MIN_POSITIVE, f64::max);
    let width = WIDTH / bars.len().max(1) as f64;
    let scaled = |amount: f64| amount / highest * HEIGHT;
    let peak = bars
        .iter()
        .max_by(|a, b| a.good.total_cmp(&b.good))
        .map_or("", |bar| bar.tooltip.as_str());
    html! {
        p.faint { (unit) "; highest: " (peak) }
        svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" role="img"
            aria-label=(format!("{unit}, {} bars, highest {peak}", bars.len())) {
            @for (number, bar) in bars.iter().enumerate() {
                (column("good", number as f64 * width, width, HEIGHT - scaled(bar.good), scaled(bar.good), &bar.tooltip))
                (column("bad", number as f64 * width, width, HEIGHT - scaled(bar.good + bar.bad), scaled(bar.bad), &bar.tooltip))
            }
        }
        div.axis { span { (left) } span { (right) } }
    }
}

fn column(class: &str, x: f64, width: f64, y: f64, height: f64, tooltip: &str) -> Markup {
    html! {
        @if height > 0.0 {
            rect class=(class) x=(format!("{:.2}", x + width * 0.08)) y=(format!("{y:.2}"))
                width=(format!("{:.2}", width * 0.84)) height=(format!("{height:.2}")) { title { (tooltip) } }
        }
    }
}

fn objects_per_second(rate: f64) -> String {
    format!("{rate:.1} objects/s")
}

fn bytes_per_second(rate: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is not negative, and a float saturates"
    )]
    let bytes = rate as u64;
    format!("{}/s", figures::bytes(bytes))
}
