"""Reads back what `lifefold export` wrote, with DuckDB and Polars, which share nothing with it or with each other.

    python read_export.py FOLDER

FOLDER has a folder for each export, named <what>-<format>. Prints one JSON object: for each export its columns with their
types, the size and hash of its file as they are, and what a few queries say, which must not depend on the format. Fails
where Polars counts other rows in a Parquet file than DuckDB.
"""

import hashlib
import json
import pathlib
import sys

import duckdb
import polars

READERS = {
    "parquet": "read_parquet('{}')",
    # Sparse fields may first come late.
    "ndjson": "read_json('{}', format = 'newline_delimited', sample_size = -1)",
    "csv": "read_csv('{}', sample_size = -1)",
}
# What is a list in two forms is JSON text in CSV.
LENGTH = {"parquet": "len({})", "ndjson": "len({})", "csv": "json_array_length({}::json)"}
QUERIES = {
    "events": {
        "rows": "select count(*), min(position), max(position), count(distinct event_id) from {t}",
        "types": "select type, count(*) from {t} group by all order by all",
        "prices": "select sum(price_fen)::bigint, count(price_fen) from {t} where type = 'ContractSigned'",
        "scores": "select metric, sum(score)::bigint, count(score) from {t} where score is not null group by all order by all",
        "handovers": "select strftime(planned_handover_on::date, '%Y-%m'), count(*) from {t} "
        "where planned_handover_on is not null group by all order by all",
        "seconds": "select sum(epoch_us(occurred_at::timestamptz)::hugeint)::varchar from {t}",
    },
    "churn": {
        "rows": "select count(*), count(distinct customer_id) from {t}",
        "bands": "select band, count(*) from {t} group by all order by all",
        "withheld": "select count(*) from {t} where withheld",
        "p": "select sum(p_millionths)::bigint, sum(points_millionths)::bigint, max(days_silent) from {t}",
        "reasons": "select sum({reasons})::bigint, max({reasons}) from {t}",
    },
    "segmentation": {
        "rows": "select count(*), count(distinct customer_id) from {t}",
        "stages": "select stage, count(*) from {t} group by all order by all",
        "tiers": "select value_tier, count(*) from {t} group by all order by all",
        "labels": "select rfm_label, count(*) from {t} group by all order by all",
        "contracts": "select sum(live_contracts_fen)::bigint from {t}",
        "segments": "select sum({rule_segments})::bigint from {t}",
    },
    "moves": {
        "rows": "select count(*), count(distinct customer_id) from {t}",
        "kinds": "select view || ' ' || kind, count(*) from {t} group by all order by all",
        "bands": "select \"from\", \"to\", count(*) from {t} where name = 'band' group by all order by all",
        "numbers": "select sum(before::bigint)::bigint, count(before) from {t}",
    },
    "satisfaction": {
        "rows": "select count(*), count(distinct customer_id) from {t}",
        "classes": "select satisfaction_class, count(*) from {t} where not withheld group by all order by all",
        "index": "select sum(index_hundredths)::bigint from {t}",
        "complaints": "select sum({complaints})::bigint, sum({observations})::bigint from {t}",
    },
}
# What is counted with both readers: a dictionary of names.
COUNTED = {"events": "type", "churn": "band", "segmentation": "stage", "satisfaction": "satisfaction_class", "moves": "kind"}
LISTS = ["reasons", "rule_segments", "complaints", "observations"]


def counted(what, file):
    column = polars.col(COUNTED[what]).cast(polars.String)
    counts = polars.scan_parquet(file).group_by(column).len().sort(COUNTED[what], nulls_last=True).collect()
    return [list(row) for row in counts.iter_rows()]


def read(what, form, file):
    table = READERS[form].format(file)
    lists = {name: LENGTH[form].format(name) for name in LISTS}
    said = {
        name: [list(row) for row in duckdb.sql(query.format(t=table, **lists)).fetchall()]
        for name, query in QUERIES[what].items()
    }
    columns = {row[0]: row[1] for row in duckdb.sql(f"describe select * from {table}").fetchall()}
    content = file.read_bytes()
    same = duckdb.sql(f"select {COUNTED[what]}, count(*) from {table} group by all order by all nulls last").fetchall()
    if form == "parquet" and counted(what, file) != [list(row) for row in same]:
        raise SystemExit(f"{file}: Polars says {counted(what, file)}, DuckDB {same}")
    return {"said": said, "columns": columns, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def main():
    found = {}
    for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()):
        what, form = folder.name.split("-")
        found[folder.name] = read(what, form, folder / f"{what}.{form}")
    print(json.dumps(found))


main()
