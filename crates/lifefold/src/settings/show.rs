//! `lifefold config show`: every setting, its value, and who gave it.

use serde_json::json;

use crate::cli::Output;
use crate::settings::Settings;
use crate::settings::gather::Given;

/// Prints the settings.
pub(crate) fn show(settings: &Settings, output: Output) {
    match output {
        Output::Table => print_table(&settings.given),
        Output::Json => println!("{:#}", serde_json::Value::from_iter(settings.given.iter().map(row))),
        Output::Ndjson => settings.given.iter().for_each(|given| println!("{}", row(given))),
    }
}

fn print_table(given: &[Given]) {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING).set_header(["SETTING", "VALUE", "FROM"]);
    for one in given {
        table.add_row([one.spec.name, &masked(one), &one.origin.to_string()]);
    }
    println!("{}", table.trim_fmt());
}

fn row(given: &Given) -> serde_json::Value {
    json!({ "name": given.spec.name, "value": masked(given), "from": given.origin.to_string() })
}

/// The value without a password in it.
pub(crate) fn masked(given: &Given) -> String {
    if given.spec.name == "nats_url" { event_log::mask(&given.text) } else { given.text.clone() }
}
