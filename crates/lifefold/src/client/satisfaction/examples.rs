//! What stands below the help of each command.

pub(super) const ALL: &str = "\
Examples:
  lifefold satisfaction report --unit company:C01 --wave 2025
  lifefold satisfaction rank --by project --port REPAIR
  lifefold satisfaction complaints --overdue --company C01
  lifefold satisfaction explain 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11

Ports: OVERALL, SALES, DESIGN, QUALITY, REPAIR, PROPERTY, COMPLAINT, HANDOVER, CALL_CENTRE.
Without --wave the latest wave is answered for; --wave and --with take the wave's id.";

pub(super) const EXPLAIN: &str = "\
Examples:
  lifefold satisfaction explain 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11
  lifefold satisfaction explain 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11 --as-of 2025-12-31 -o json";

pub(super) const REPORT: &str = "\
Examples:
  lifefold satisfaction report
  lifefold satisfaction report --unit project:P003 --as-of 2025-12-31
  lifefold satisfaction report --unit company:C01 --wave 2025 --with 2023 --port REPAIR --port PROPERTY";

pub(super) const INDICATORS: &str = "\
Examples:
  lifefold satisfaction indicators --unit project:P003 --wave 2025
  lifefold satisfaction indicators --port QUALITY -o json";

pub(super) const COMPARE: &str = "\
Examples:
  lifefold satisfaction compare --unit project:P003 --wave 2025 --with 2023
  lifefold satisfaction compare --port OVERALL

A difference is flat below |z| 1.96, else slight below 5 percentage points, else marked.";

pub(super) const RANK: &str = "\
Examples:
  lifefold satisfaction rank --by project --port REPAIR
  lifefold satisfaction rank --by company --wave 2025 -o ndjson

A rank needs 30 customers who answered; who has fewer is listed last.";

pub(super) const NPS: &str = "\
Examples:
  lifefold satisfaction nps --unit group
  lifefold satisfaction nps --unit project:P003 --port CALL_CENTRE --wave 2025";

pub(super) const TOTALS: &str = "\
Examples:
  lifefold satisfaction totals
  lifefold satisfaction totals --project P003 --as-of 2025-12-31 -o json
  lifefold satisfaction totals --from 2024-03-31 --to 2025-12-31 --every quarter";

pub(super) const COMPLAINTS: &str = "\
Examples:
  lifefold satisfaction complaints --overdue --company C01
  lifefold satisfaction complaints --severity CRITICAL --port QUALITY --limit 200 -o ndjson";

pub(super) const SERVICE_LEVELS: &str = "\
Examples:
  lifefold satisfaction service-levels --unit project:P003
  lifefold satisfaction service-levels --severity HIGH --as-of 2025-12-31

Limits: 60 min to acknowledge; 24 h to resolve CRITICAL, 72 h HIGH, 120 h MEDIUM, 168 h LOW.";
