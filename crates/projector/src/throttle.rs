//! How fast a generation is folded while it catches up, and compared: no faster than it is asked to, and slower while
//! those who are served beside it suffer.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use touchpoint::Position;

use crate::generation::lock;
use crate::latency::{Latencies, Observed};

/// How often the bounds are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// What is known of the answers holds for so long, until there are enough again: those that take long are few.
const P99_HOLDS: Duration = Duration::from_secs(2);
/// The first pause of a brake, which is doubled as long as a bound is broken, and halved again.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
/// The longest: a rebuild goes on, however much is asked.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What a rebuild must leave to those who are served beside it; beyond it brakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How far the serving generation may be behind the log.
    pub lag: Duration,
    /// What 99 of 100 live answers may take at most.
    pub p99: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { lag: Duration::from_secs(1), p99: Duration::from_millis(50) }
    }
}

/// How those who are served do beside a rebuild.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Vitals {
    /// How far the serving generation is behind the log.
    pub lag: Duration,
    /// What 99 of 100 of the last live answers took at most; nothing if there were few.
    pub p99: Option<Duration>,
    /// For how long in all the rebuild was held back for their sake.
    pub held_back: Duration,
}

/// How fast a generation may be folded.
pub(crate) struct Throttle {
    /// Events a second; 0: as fast as possible.
    max_rate: u64,
    brake: Option<Arc<Mutex<Brake>>>,
    free_at: Instant,
}

/// Slows down while a bound is broken. Shared by all who work for one rebuild.
pub(crate) struct Brake {
    bounds: Bounds,
    /// How far the serving generation is; nothing if it goes no further, so that nobody suffers.
    served: Box<dyn Fn() -> Option<Position> + Send + Sync>,
    latencies: Arc<Latencies>,
    observed: Observed,
    /// Since when the serving generation has not reached what the log had then.
    behind: Option<(Instant, Position)>,
    looked: Instant,
    /// When there were last answers enough to say how long they take.
    seen: Option<Instant>,
    pause: Duration,
    /// Until then all are held back.
    free_at: Instant,
    vitals: Vitals,
}

impl Throttle {
    /// As fast as possible.
    pub(crate) fn free() -> Self {
        Self { max_rate: 0, brake: None, free_at: Instant::now() }
    }

    /// At most so many events a second, on the average of some batches (0: as fast as possible), and within bounds.
    pub(crate) fn beside(max_rate: u64, brake: Arc<Mutex<Brake>>) -> Self {
        Self { max_rate, brake: Some(brake), free_at: Instant::now() }
    }

    /// So many events were folded now, of a log that ends there.
    pub(crate) fn folded(&mut self, events: usize, log_end: Position) {
        let now = Instant::now();
        if self.max_rate > 0 {
            let earned = Duration::from_secs_f64(events as f64 / self.max_rate as f64);
            self.free_at = self.free_at.max(now) + earned;
        }
        if let Some(brake) = &self.brake {
            self.free_at = self.free_at.max(lock(brake).free_at(log_end, now));
        }
    }

    /// Whether the next events may be folded now.
    pub(crate) fn is_free(&self) -> bool {
        Instant::now() >= self.free_at
    }

    /// Waits until they may.
    pub(crate) async fn wait(&self) {
        sleep_until(self.free_at).await;
    }
}

impl Brake {
    pub(crate) fn new(
        bounds: Bounds,
        latencies: Arc<Latencies>,
        served: impl Fn() -> Option<Position> + Send + Sync + 'static,
    ) -> Self {
        let mut observed = Observed::default();
        // What was before the rebuild does not count.
        observed.p99(&latencies);
        Self {
            bounds,
            served: Box::new(served),
            latencies,
            observed,
            behind: None,
            looked: Instant::now(),
            seen: None,
            pause: Duration::ZERO,
            free_at: Instant::now(),
            vitals: Vitals::default(),
        }
    }

    /// How those who are served do.
    pub(crate) fn vitals(&self) -> Vitals {
        self.vitals
    }

    /// Lets the calling thread sleep until the next piece of work may be done. The log ends there.
    pub(crate) fn hold(brake: &Mutex<Self>, log_end: Position) {
        let free_at = lock(brake).free_at(log_end, Instant::now());
        thread::sleep(free_at.saturating_duration_since(Instant::now()));
    }

    /// A piece of work was done now: when the next one may be, of a log that ends there.
    fn free_at(&mut self, log_end: Position, now: Instant) -> Instant {
        let lag = self.lag(log_end, now);
        if now - self.looked >= LOOK_EVERY {
            self.look(lag, now);
        }
        self.vitals.lag = lag;
        // Several threads that are held back at the same time are held back once.
        let free_at = self.free_at.max(now + self.pause);
        self.vitals.held_back += free_at - self.free_at.max(now);
        self.free_at = free_at;
        free_at
    }

    /// The next pauses are longer, shorter or the same.
    fn look(&mut self, lag: Duration, now: Instant) {
        self.looked = now;
        let p99 = self.observed.p99(&self.latencies);
        if p99.is_some() {
            self.seen = Some(now);
        }
        let holds = p99.is_none() && self.seen.is_some_and(|seen| now - seen < P99_HOLDS);
        if !holds {
            self.vitals.p99 = p99;
        }
        let is_broken = lag > self.bounds.lag || p99.is_some_and(|p99| p99 > self.bounds.p99);
        self.pause = match is_broken {
            true => (self.pause * 2).clamp(SHORTEST_PAUSE, LONGEST_PAUSE),
            false if holds => self.pause,
            false if self.pause > SHORTEST_PAUSE => self.pause / 2,
            false => Duration::ZERO,
        };
    }

    fn lag(&mut self, log_end: Position, now: Instant) -> Duration {
        let Some(served) = (self.served)() else { return Duration::ZERO };
        if self.behind.is_none_or(|(_, wanted)| served >= wanted) {
            self.behind = (served < log_end).then_some((now, log_end));
        }
        self.behind.map_or(Duration::ZERO, |(since, _)| now - since)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const END: Position = Position(1_000);

    /// A brake, the position that is served, and the latencies.
    fn brake() -> (Arc<Mutex<Brake>>, Arc<AtomicU64>, Arc<Latencies>) {
        let (served, latencies) = (Arc::new(AtomicU64::new(END.0)), Arc::new(Latencies::default()));
        let at = served.clone();
        let now = move || Some(Position(at.load(Ordering::Relaxed)));
        let brake = Brake::new(Bounds::default(), latencies.clone(), now);
        (Arc::new(Mutex::new(brake)), served, latencies)
    }

    async fn later(throttle: &mut Throttle) -> Duration {
        tokio::time::advance(LOOK_EVERY).await;
        let begun = Instant::now();
        throttle.folded(10, END);
        throttle.wait().await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept_and_time_not_used_is_not_saved_up() {
        let mut throttle = Throttle::beside(1_000, brake().0);
        let begun = Instant::now();
        for _ in 0..3 {
            throttle.wait().await;
            throttle.folded(2_000, END);
        }
        throttle.wait().await;
        assert_eq!(begun.elapsed(), Duration::from_secs(6));
        tokio::time::advance(Duration::from_secs(60)).await;
        throttle.folded(500, END);
        assert!(!throttle.is_free());
        let begun = Instant::now();
        throttle.wait().await;
        assert_eq!(begun.elapsed(), Duration::from_millis(500));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_rate_and_a_brake_nothing_waits() {
        let mut throttle = Throttle::free();
        throttle.folded(1_000_000, END);
        assert!(throttle.is_free());
    }

    #[tokio::test(start_paused = true)]
    async fn slow_answers_hold_it_back_until_they_are_fast_again() {
        let (brake, _, latencies) = brake();
        let mut throttle = Throttle::beside(0, brake.clone());
        assert_eq!(later(&mut throttle).await, Duration::ZERO);
        let mut pauses = Vec::new();
        for millis in [80, 80, 80, 2, 2, 2, 2] {
            (0..200).for_each(|_| latencies.count(Duration::from_millis(millis)));
            pauses.push(later(&mut throttle).await.as_millis());
        }
        assert_eq!(pauses, [20, 40, 80, 40, 20, 0, 0]);
        assert_eq!(lock(&brake).vitals().held_back, Duration::from_millis(200));
        assert!(lock(&brake).vitals().p99.is_some_and(|p99| p99 < Duration::from_millis(3)));
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_are_few_because_they_are_slow_do_not_let_it_go() {
        let (brake, _, latencies) = brake();
        let mut throttle = Throttle::beside(0, brake.clone());
        let mut pauses = Vec::new();
        for answers in [200, 40, 40, 40, 0, 0, 0, 0, 0, 0, 0, 0] {
            (0..answers).for_each(|_| latencies.count(Duration::from_millis(80)));
            pauses.push(later(&mut throttle).await.as_millis());
        }
        assert_eq!(pauses, [20, 20, 20, 40, 40, 40, 40, 40, 40, 40, 20, 0]);
        assert_eq!(lock(&brake).vitals().p99, None, "nobody asks any more");
    }

    #[tokio::test(start_paused = true)]
    async fn a_serving_generation_that_falls_behind_holds_it_back() {
        let (brake, served, _) = brake();
        let mut throttle = Throttle::beside(0, brake.clone());
        served.store(END.0 - 1, Ordering::Relaxed);
        for _ in 0..5 {
            assert_eq!(later(&mut throttle).await, Duration::ZERO, "within a second");
        }
        assert_eq!(later(&mut throttle).await, SHORTEST_PAUSE);
        assert!(lock(&brake).vitals().lag > Duration::from_secs(1));
        served.store(END.0, Ordering::Relaxed);
        assert_eq!(later(&mut throttle).await, Duration::ZERO);
        assert_eq!(lock(&brake).vitals().lag, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn who_are_held_back_together_are_held_back_once() {
        let (brake, _, latencies) = brake();
        tokio::time::advance(LOOK_EVERY).await;
        (0..200).for_each(|_| latencies.count(Duration::from_millis(80)));
        let now = Instant::now();
        let free_at = [(); 2].map(|()| lock(&brake).free_at(END, now));
        assert_eq!(free_at, [now + SHORTEST_PAUSE; 2]);
        assert_eq!(lock(&brake).vitals().held_back, SHORTEST_PAUSE);
    }
}
