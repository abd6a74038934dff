//! Whether a server listens, and what it wrote when it does not.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    time::Duration,
};

use crate::error::StartError;

/// How long the listening server may take to greet.
const GREET_WITHIN: Duration = Duration::from_secs(2);
/// How much of the server's log an error shows.
const TAIL_LINES: usize = 12;

/// A port that another program listens on is told apart before a server is started at all.
pub(crate) fn check_port(port: u16) -> Result<(), StartError> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(StartError::PortInUse { port }),
        _ => Ok(()),
    }
}

/// From the ports file, which the server writes once it listens: `{"nats":["nats://127.0.0.1:4222"],…}`.
pub(crate) fn listening_port(ports: &Path) -> Option<u16> {
    let file = fs::read_dir(ports).ok()?.flatten().map(|entry| entry.path()).next()?;
    // Half written: the next look reads the whole.
    let said: serde_json::Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    said["nats"][0].as_str()?.rsplit(':').next()?.parse().ok()
}

/// Whether a client would be greeted by a server with JetStream on.
pub(crate) fn greets(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let greeting = || -> io::Result<String> {
        let stream = TcpStream::connect_timeout(&address, GREET_WITHIN)?;
        stream.set_read_timeout(Some(GREET_WITHIN))?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line)
    };
    greeting().is_ok_and(|line| line.starts_with("INFO ") && line.contains("\"jetstream\":true"))
}

/// The last lines that this start wrote.
pub(crate) fn tail(log: &Path, from: u64) -> String {
    let read = || -> io::Result<String> {
        let mut file = File::open(log)?;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_else(|error| error.to_string());
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
