"""The list prices that reports use: their sources are named, and they are not too old."""

import datetime
import json

from tests.static.project import ROOT

PRICES = json.loads((ROOT / "lambdas/core/src/report/prices.json").read_text())
AGE_DAYS_MAX = 365


def test_prices_are_at_most_a_year_old():
    as_of = datetime.date.fromisoformat(PRICES["as_of"])
    age_days = (datetime.datetime.now(datetime.UTC).date() - as_of).days
    print(f"prices.json is {age_days} days old")
    assert 0 <= age_days <= AGE_DAYS_MAX, (
        f"prices.json is {age_days} days old: compare it with the pages that it names, and set as_of"
    )


def test_prices_name_the_pages_of_aws():
    assert PRICES["source"]
    for page in PRICES["source"]:
        assert page.startswith("https://aws.amazon.com/"), page


def test_docs_show_the_prices_of_the_file():
    """docs/COST.md shows the prices of each class as the file has them."""
    cost = (ROOT / "docs/COST.md").read_text()
    for storage_class, prices in PRICES["regions"]["us-east-1"]["s3"].items():
        row = next(line for line in cost.splitlines() if line.startswith(f"| {storage_class} |"))
        cells = [cell.strip() for cell in row.strip("|").split("|")][1:]
        retrieval = prices.get("retrieval_usd_per_gb")
        assert cells == [
            f"{prices['write_usd_per_1000'] * 1000:.2f}",
            f"{prices['read_usd_per_1000'] * 1000:.2f}",
            f"{retrieval:.2f}" if retrieval else "–",
        ], row
