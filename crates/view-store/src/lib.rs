//! Pages of customer records and the position they explain, on disk.
