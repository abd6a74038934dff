//! A fact: what a view takes from one event, and its canonical bytes.

use touchpoint::compact::{self, Reader, pack_code, pack_int, pack_uint};
use touchpoint::{Code, EventId, Kind, Position, Recorded, Timestamp, Touchpoint};

/// A filed event: the part of it that answers can depend on.
///
/// All views file the same: the typed event with its place in the log. So a changed rule, a new reason or a new
/// attribute never needs another fold, and three views of one log can be held against each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed<'a> {
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Its id; breaks ties of `occurred_at`.
    pub id: EventId,
    /// The city company that it names.
    pub company: Option<Code<'a>>,
    /// The project that it names.
    pub project: Option<Code<'a>>,
    /// When the source system learned of it, if that was said.
    pub first_recorded_at: Option<Timestamp>,
    /// What happened.
    pub body: Touchpoint<'a>,
    /// Where it stands in the log.
    pub position: Position,
    /// When the log took it.
    pub recorded_at: Timestamp,
}

/// The packed form: a length byte and the part that the log gave, then the content.
const OCCURRED_AT_BYTES: usize = 8;
const HAS_COMPANY: u8 = 1;
const HAS_PROJECT: u8 = 2;
const HAS_FIRST_RECORDED: u8 = 4;

impl<'a> Filed<'a> {
    /// When it became known: when the source system learned of it, else when the log took it.
    pub fn known_at(&self) -> Timestamp {
        self.first_recorded_at.unwrap_or(self.recorded_at)
    }

    /// From when it is admitted by as_of.
    pub fn admitted_at(&self) -> Timestamp {
        self.occurred_at.min(self.recorded_at)
    }

    /// The order of the domain: when it happened, then its id.
    pub fn order(&self) -> (Timestamp, EventId) {
        (self.occurred_at, self.id)
    }

    /// Reads what [`Packed::pack`] wrote.
    pub(crate) fn unpack(packed: Packed<'a>) -> Option<Self> {
        let mut content = Reader::new(packed.content);
        let occurred_at =
            Timestamp::from_micros(i64::from_be_bytes(content.bytes(OCCURRED_AT_BYTES)?.try_into().ok()?));
        let id = EventId::from_u128(content.uuid()?);
        let flags = content.byte()?;
        let mut code = |flag| match flags & flag {
            0 => Some(None),
            _ => content.code().map(Some),
        };
        let (company, project) = (code(HAS_COMPANY)?, code(HAS_PROJECT)?);
        let first_recorded_at = match flags & HAS_FIRST_RECORDED {
            0 => None,
            _ => Some(occurred_at.plus_micros(content.int()?)),
        };
        let body = compact::unpack(&mut content)?;
        let mut log = Reader::new(packed.log);
        let position = Position(log.uint()?);
        let recorded_at = occurred_at.plus_micros(log.int()?);
        Some(Self { occurred_at, id, company, project, first_recorded_at, body, position, recorded_at })
    }
}

/// A fact in its canonical bytes, the two parts told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed<'a> {
    bytes: &'a [u8],
    /// What the log gave: position and recorded_at.
    log: &'a [u8],
    /// Everything else: the same for the same event in any log.
    pub(crate) content: &'a [u8],
}

impl<'a> Packed<'a> {
    /// Appends the packed form of an event.
    pub fn pack(recorded: &Recorded<'_>, out: &mut Vec<u8>) {
        let event = &recorded.event;
        let log_length_at = out.len();
        out.push(0);
        pack_uint(recorded.position.0, out);
        pack_int(recorded.recorded_at.since(event.occurred_at), out);
        out[log_length_at] = (out.len() - log_length_at - 1) as u8;
        out.extend_from_slice(&event.occurred_at.micros().to_be_bytes());
        out.extend_from_slice(&event.id.as_u128().to_be_bytes());
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        out.push(
            flag(event.company.is_some(), HAS_COMPANY)
                | flag(event.project.is_some(), HAS_PROJECT)
                | flag(event.first_recorded_at.is_some(), HAS_FIRST_RECORDED),
        );
        for code in [&event.company, &event.project].into_iter().flatten() {
            pack_code(code, out);
        }
        if let Some(first) = event.first_recorded_at {
            pack_int(first.since(event.occurred_at), out);
        }
        compact::pack(&event.body, out);
    }

    /// Tells the parts of a packed fact apart; nothing if the bytes are none.
    pub fn split(bytes: &'a [u8]) -> Option<Self> {
        let (&length, rest) = bytes.split_first()?;
        let (log, content) = rest.split_at_checked(usize::from(length))?;
        (content.len() > OCCURRED_AT_BYTES + 16).then_some(Self { bytes, log, content })
    }

    /// The canonical bytes.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The order of the domain, read without unpacking: when it happened, then its id.
    pub(crate) fn order(&self) -> (i64, u128) {
        let at = self.content.first_chunk().copied().map_or(0, i64::from_be_bytes);
        let id = self.content[OCCURRED_AT_BYTES..].first_chunk().copied().map_or(0, u128::from_be_bytes);
        (at, id)
    }

    /// Where it stands in the log.
    pub(crate) fn position(&self) -> Option<Position> {
        Reader::new(self.log).uint().map(Position)
    }

    /// What happened, read without unpacking.
    pub(crate) fn kind(&self) -> Option<Kind> {
        let mut content = Reader::new(&self.content[OCCURRED_AT_BYTES + 16..]);
        let flags = content.byte()?;
        for _ in 0..(flags & (HAS_COMPANY | HAS_PROJECT)).count_ones() {
            let length = usize::from(content.byte()?);
            content.bytes(length)?;
        }
        if flags & HAS_FIRST_RECORDED != 0 {
            content.int()?;
        }
        compact::kind(&mut content)
    }
}
