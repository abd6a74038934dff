//! The harness that starts real servers and processes, the end-to-end cases, and the benchmarks.
