//! `lifefold config show`: every setting, its value, and who gave it.

use serde_json::{Value, json};

use crate::client::Format;
use crate::settings::Settings;
use crate::settings::gather::Given;

/// The settings as they are printed.
pub(crate) fn shown(settings: &Settings, format: Format) -> String {
    let rows = settings.given.iter().map(row);
    match format {
        Format::Table => table(&settings.given),
        Format::Json => format!("{:#}\n", Value::from_iter(rows)),
        Format::Ndjson => rows.map(|row| format!("{row}\n")).collect(),
    }
}

fn table(given: &[Given]) -> String {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING).set_header(["SETTING", "VALUE", "FROM"]);
    for one in given {
        table.add_row([one.spec.name, &masked(one), &one.origin.to_string()]);
    }
    format!("{}\n", table.trim_fmt())
}

fn row(given: &Given) -> Value {
    json!({ "name": given.spec.name, "value": masked(given), "from": given.origin.to_string() })
}

/// The value without a password in it.
pub(crate) fn masked(given: &Given) -> String {
    if given.spec.name == "nats_url" { event_log::mask(&given.text) } else { given.text.clone() }
}
