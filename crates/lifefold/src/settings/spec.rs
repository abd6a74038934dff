//! The table of settings: name, default, what each is for.

/// One setting. Its flag and its variable follow from its name.
#[derive(Debug)]
pub(crate) struct Spec {
    /// The name in a file, such as `nats_url`.
    pub(crate) name: &'static str,
    /// What a value looks like in help texts.
    pub(crate) form: &'static str,
    /// The value if nobody gives one.
    pub(crate) default: &'static str,
    /// What it is for.
    pub(crate) about: &'static str,
}

impl Spec {
    /// The flag's name without dashes, such as `nats-url`.
    pub(crate) fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// The variable, such as `LIFEFOLD_NATS_URL`.
    pub(crate) fn variable(&self) -> String {
        format!("LIFEFOLD_{}", self.name.to_ascii_uppercase())
    }
}

/// The one setting that is true or false.
pub(crate) const PROVISION: &str = "provision";

/// Every setting.
pub(crate) const ALL: [Spec; 16] = [
    Spec {
        name: "nats_url",
        form: "URL",
        default: "nats://127.0.0.1:4222",
        about: "The NATS server, as nats://[user:password@]host:port",
    },
    Spec { name: "stream", form: "NAME", default: "TOUCHPOINTS", about: "The JetStream stream that is the log" },
    Spec {
        name: "replicas",
        form: "1|3|5",
        default: "1",
        about: "Copies of each event in a cluster; used by --provision",
    },
    Spec {
        name: PROVISION,
        form: "true|false",
        default: "false",
        about: "Gateway: create the stream if missing (needs a NATS user with that permission)",
    },
    Spec {
        name: "listen",
        form: "ADDRESS",
        default: "127.0.0.1:7400",
        about: "gRPC; projectors default to ports 7401 segmentation, 7402 satisfaction, 7403 churn; `up` takes four from here on, or free ones for port 0",
    },
    Spec {
        name: "metrics_listen",
        form: "ADDRESS",
        default: "127.0.0.1:9400",
        about: "Prometheus, at /metrics; projectors default to ports 9401, 9402, 9403; 'off' for none",
    },
    Spec {
        name: "data",
        form: "FOLDER",
        default: "./data",
        about: "`up`: everything; a projector: its store (default: its folder below ./data)",
    },
    Spec {
        name: "rules",
        form: "FILE",
        default: "",
        about: "Rules that the gateway seeds an empty log with; empty: the built-in ones",
    },
    Spec {
        name: "rebuild_max_lag",
        form: "MS",
        default: "1000",
        about: "A rebuild slows down while what serves is further behind the log than this",
    },
    Spec {
        name: "rebuild_max_p99",
        form: "MS",
        default: "50",
        about: "A rebuild slows down while 99 of 100 live answers take longer than this",
    },
    Spec {
        name: "scrub_rate",
        form: "NUMBER",
        default: "5",
        about: "A projector: customers a second that are folded again from the log and compared; 0 for none, at most 1000",
    },
    Spec {
        name: "log",
        form: "FILTER",
        default: "info",
        about: "What is logged, as warn or info,projector=debug: text on a terminal, else JSON",
    },
    Spec {
        name: "gateway",
        form: "URL",
        default: "http://127.0.0.1:7400",
        about: "Where client commands find the gateway (default: what the data folder's endpoints.json says)",
    },
    Spec {
        name: "segmentation",
        form: "URL",
        default: "http://127.0.0.1:7401",
        about: "Where client commands find this projector (default: as for the gateway)",
    },
    Spec {
        name: "satisfaction",
        form: "URL",
        default: "http://127.0.0.1:7402",
        about: "Where client commands find this projector (default: as for the gateway)",
    },
    Spec {
        name: "churn",
        form: "URL",
        default: "http://127.0.0.1:7403",
        about: "Where client commands find this projector (default: as for the gateway)",
    },
];
