//! A server and its stream, looked at step by step without changing anything: for who wants to know what is wrong.

use async_nats::Client;
use bytes::Bytes;
use serde::Deserialize;
use touchpoint::Timestamp;

use crate::error::{OpenError, ReadError};
use crate::stream::{Log, Options, ask, connect};
use crate::wire;

/// A NATS server that answers and is new enough.
#[derive(Debug, Clone)]
pub struct Server {
    client: Client,
    options: Options,
}

/// What an answer of JetStream's API says beside its content.
#[derive(Debug, Deserialize)]
struct Stamped {
    ts: String,
}

impl Server {
    /// Connects to the server.
    pub async fn reach(options: &Options) -> Result<Self, OpenError> {
        Ok(Self { client: connect(options).await?, options: options.clone() })
    }

    /// The version that it announces.
    pub fn version(&self) -> String {
        self.client.server_info().version
    }

    /// The time by its own clock, at which it answered this question. There must be a stream to ask about.
    pub async fn time(&self) -> Result<Timestamp, ReadError> {
        let subject = format!("$JS.API.STREAM.INFO.{}", self.options.stream);
        let unavailable = |error: String| ReadError::Unavailable(error);
        let answer: Stamped =
            ask(&self.client, subject, Bytes::new()).await.map_err(|error| unavailable(error.to_string()))?;
        wire::server_time(&answer.ts).map_err(|error| unavailable(error.to_string()))
    }

    /// The log on it; or why its stream is none, as [`Log::open`] says.
    pub async fn log(&self) -> Result<Log, OpenError> {
        Log::verified(self.client.clone(), &self.options).await
    }
}
