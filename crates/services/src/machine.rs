//! What Linux says of this process and this machine; nothing elsewhere.

const BYTES_PER_KIBIBYTE: u64 = 1_024;

/// Resident memory of this process, in bytes.
pub(crate) fn process_bytes() -> Option<u64> {
    line_of("/proc/self/status", "VmRSS:")
}

/// Memory that a process could have without swapping, in bytes.
pub(crate) fn memory_available() -> Option<u64> {
    line_of("/proc/meminfo", "MemAvailable:")
}

fn line_of(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(BYTES_PER_KIBIBYTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_says_how_much_memory_there_is() {
        if cfg!(target_os = "linux") {
            assert!(process_bytes().unwrap() > 100_000);
            assert!(memory_available().unwrap() > process_bytes().unwrap() / 10);
        }
    }
}
