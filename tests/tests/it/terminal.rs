//! Commands that ask whoever sits at the terminal: what is answered decides.

use std::fs;

use serde_json::Value;
use tests::{Python, System, View, import_believable, lifefold, text_of};

const CANDIDATE: &str = "[segmentation]\nfrequency_days = 300\n";

/// A system with some customers, and a terminal.
struct Scene {
    python: Python,
    system: System,
    flags: Vec<String>,
}

impl Scene {
    async fn new() -> Self {
        let python = || Python::with("requirements.txt", env!("CARGO_TARGET_TMPDIR"));
        let python = tokio::task::spawn_blocking(python).await.unwrap();
        let mut system = System::start().await;
        system.serving().await;
        import_believable(&system.writer(), 20, 3).await;
        let mut flags = vec!["--gateway".to_owned(), format!("http://{}", system.gateway.address())];
        for (view, flag) in
            [(View::Segmentation, "--segmentation"), (View::Satisfaction, "--satisfaction"), (View::Churn, "--churn")]
        {
            flags.extend([flag.to_owned(), format!("http://{}", system.projector(view).address())]);
        }
        Self { python, system, flags }
    }

    /// Runs a command on a terminal, where its question is answered so: its exit code, and what it showed.
    fn answered(&self, question: &str, answer: &str, command: &[&str]) -> (i64, String) {
        let program = lifefold().to_str().unwrap();
        let flags = self.flags.iter().map(String::as_str);
        let all: Vec<_> = [question, answer, program].into_iter().chain(command.iter().copied()).chain(flags).collect();
        let told = self.python.run("terminal.py", &all);
        assert_eq!(told["asked"], true, "{told}");
        (told["code"].as_i64().unwrap(), told["shown"].as_str().unwrap().to_owned())
    }

    /// Runs a command where there is no terminal.
    fn unattended(&self, command: &[&str]) -> (Option<i32>, String, String) {
        let flags = self.flags.iter().map(String::as_str);
        text_of(self.system.machine.folder(), &command.iter().copied().chain(flags).collect::<Vec<_>>())
    }

    fn json(&self, command: &[&str]) -> Value {
        let (code, out, err) = self.unattended(&[command, &["-o", "json"]].concat());
        assert_eq!(code, Some(0), "{err}");
        serde_json::from_str(&out).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_begins_once_its_view_is_named() {
    let scene = Scene::new().await;
    let generation = || scene.json(&["rebuild", "status", "churn"])["rebuild"]["generation"].clone();
    let (question, before) = ("Type churn to rebuild it:", generation());
    let (code, shown) = scene.answered(question, "segmentation", &["rebuild", "churn"]);
    assert_eq!((code, shown.contains("nothing was begun")), (1, true), "{shown}");
    assert!(shown.contains("Events to fold"), "the plan comes before the question: {shown}");
    assert_eq!(generation(), before);
    let (code, shown) = scene.answered(question, "churn", &["rebuild", "churn"]);
    assert_eq!(code, 0, "{shown}");
    assert_ne!(generation(), before);
    let (code, _, err) = scene.unattended(&["rebuild", "churn"]);
    assert_eq!((code, err.contains("--yes")), (Some(2), true), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_come_into_force_by_yes_only() {
    let scene = Scene::new().await;
    let file = scene.system.machine.folder().join("candidate.toml");
    fs::write(&file, CANDIDATE).unwrap();
    let command = ["rules", "activate", file.to_str().unwrap()];
    let in_force = || scene.json(&["rules", "history"])["activations"].as_array().map_or(0, Vec::len);
    let (question, before) = ("Put them in force? [y/N]", in_force());
    let (code, shown) = scene.answered(question, "", &command);
    assert_eq!((code, shown.contains("nothing is changed")), (1, true), "{shown}");
    let (code, _, err) = scene.unattended(&command);
    assert_eq!((code, err.contains("--yes")), (Some(2), true), "{err}");
    assert_eq!(in_force(), before);
    let (code, shown) = scene.answered(question, "y", &command);
    assert_eq!(code, 0, "{shown}");
    assert_eq!(in_force(), before + 1);
}
