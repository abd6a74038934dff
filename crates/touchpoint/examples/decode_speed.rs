//! How fast one core decodes events from memory.
//!
//! `cargo run --release -q -p touchpoint --example decode_speed`

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use touchpoint::Event;

/// How often each fixture comes in the mix; the others come once.
const MIX: &[(&str, usize)] = &[
    ("VisitRecorded.v1", 12),
    ("VisitRecorded.v1.min", 12),
    ("LeadRegistered.v1", 10),
    ("SurveyAnswered.v2", 10),
    ("SurveyAnswered.v2.min", 20),
    ("ContractSigned.v1", 5),
    ("HandoverCompleted.v1", 5),
    ("RevisitCompleted.v1", 8),
    ("ComplaintLodged.v1", 4),
    ("ComplaintLodged.v1.min", 4),
    ("ConsentGranted.v1", 6),
];
/// How long each of the rounds lasts; the best round counts, since other processes disturb.
const ROUND: Duration = Duration::from_millis(20);
const ROUNDS: usize = 150;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bodies = mix()?;
    let bytes: usize = bodies.iter().map(Vec::len).sum();
    println!("{} events in the mix, {} bytes on average", bodies.len(), bytes / bodies.len());
    let best = (0..ROUNDS).map(|_| nanoseconds_per_event(&bodies)).fold(f64::INFINITY, f64::min);
    println!("{:.0} events/s, {best:.0} ns per event", 1e9 / best);
    Ok(())
}

/// The fixtures as a producer would write them, without white space, mixed deterministically.
fn mix() -> Result<Vec<Vec<u8>>, Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut files: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let mut mix = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let body = std::fs::read(file)?;
        let body = serde_json::to_vec(&Event::decode(&body)?)?;
        let name = file.file_stem().unwrap_or_default();
        let times = MIX.iter().find(|(fixture, _)| *fixture == name).map_or(1, |(_, times)| *times);
        // Multiples of one step, so that events of a type do not stand together.
        mix.extend((0..times).map(|turn| ((turn * 2_654_435_761 + index * 40_503) % 65_536, body.clone())));
    }
    mix.sort();
    Ok(mix.into_iter().map(|(_, body)| body).collect())
}

fn nanoseconds_per_event(bodies: &[Vec<u8>]) -> f64 {
    let start = Instant::now();
    let mut decoded = 0usize;
    while start.elapsed() < ROUND {
        for body in bodies {
            decoded += usize::from(black_box(Event::decode(black_box(body))).is_ok());
        }
    }
    start.elapsed().as_nanos() as f64 / decoded as f64
}
