//! The event catalogue, one module per family.
//!
//! A new event: declare it in its family's module, list it below under a tag never used before, add its fixture. A new
//! field: at the end of its event, optional. A changed meaning: a new schema version, and a step in [`lift`].

mod channel;
mod complaint;
mod handover;
mod lift;
mod loyalty;
mod macros;
mod person;
mod record;
mod revisit;
mod sign;
mod slots;
mod survey;
mod visit;

pub use channel::*;
pub use complaint::*;
pub use handover::*;
pub use loyalty::*;
pub use person::*;
pub use record::*;
pub use revisit::*;
pub use sign::*;
pub use survey::*;
pub use visit::*;

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::compact::Reader;
use crate::{Date, FieldSpec, Scalar, Violations};
use macros::catalog;
pub(crate) use slots::Slots;

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// The families of the catalogue: the five touchpoints and what surrounds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names of the domain speak for themselves")]
pub enum Family {
    Visit,
    Sign,
    Handover,
    Complaint,
    Revisit,
    Survey,
    Loyalty,
    Person,
    Record,
}

catalog! {
    1 version 1 Visit VisitRecorded<'a>;
    2 version 1 Visit LeadRegistered;
    3 version 1 Visit LeadLost;
    4 version 1 Visit ConsultantReassigned<'a>;
    5 version 1 Visit SubscriptionPlaced<'a>;
    6 version 1 Visit SubscriptionCancelled<'a>;
    7 version 1 Sign ContractSigned<'a>;
    8 version 1 Sign ContractAmended<'a>;
    9 version 1 Sign ContractCancelled<'a>;
    10 version 1 Handover HandoverCompleted<'a>;
    11 version 1 Handover HandoverNotified<'a>;
    12 version 1 Handover HandoverRefused<'a>;
    13 version 1 Handover DefectLogged<'a>;
    14 version 1 Handover DefectRectified<'a>;
    15 version 1 Handover MovedIn<'a>;
    16 version 1 Handover UnitResold<'a>;
    17 version 1 Complaint ComplaintLodged<'a>;
    18 version 1 Complaint ComplaintAcknowledged<'a>;
    19 version 1 Complaint ComplaintAssessed<'a>;
    20 version 1 Complaint ComplaintAssigned<'a>;
    21 version 1 Complaint ComplaintEscalated<'a>;
    22 version 1 Complaint ComplaintResolved<'a>;
    23 version 1 Complaint ComplaintReopened<'a>;
    24 version 1 Complaint ComplaintClosed<'a>;
    25 version 1 Complaint ComplaintWithdrawn<'a>;
    26 version 1 Revisit RevisitCompleted<'a>;
    27 version 1 Revisit RevisitScheduled<'a>;
    28 version 1 Revisit RevisitMissed<'a>;
    29 version 1 Revisit FaceToFaceFollowUp<'a>;
    30 version 2 Survey SurveyAnswered<'a>;
    31 version 1 Loyalty ReferralMade<'a>;
    32 version 1 Loyalty ReferralConverted<'a>;
    33 version 1 Person ProfileCorrected<'a>;
    34 version 1 Person ConsentGranted;
    35 version 1 Person ConsentWithdrawn;
    36 version 1 Person CustomerErased;
    37 version 1 Record EventVoided<'a>;
}

/// What the rules of an event may look at besides its own fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    /// The customer of the envelope; nothing where it is not readable.
    pub(crate) customer: Option<crate::CustomerId>,
    /// The Shanghai date of `occurred_at`; nothing where it is not readable.
    pub(crate) date: Option<Date>,
}

impl About {
    /// A date in a field is at most the Shanghai date of `occurred_at`.
    fn not_after(&self, field: &str, date: Date, broken: &mut Violations) {
        if let Some(occurred) = self.date.filter(|occurred| date > *occurred) {
            broken.add(
                format!("data.{field}"),
                format!("expected at most {occurred}, the Shanghai date of time, got {date}"),
            );
        }
    }
}

/// An event of the catalogue; implemented by `event!` only.
pub(crate) trait Payload<'a>: Sized {
    const DOC: &'static [&'static str];
    const FIELDS: &'static [FieldSpec];
    const NAMES: &'static [&'static str];
    fn read(slots: &Slots<'a>, about: &About, broken: &mut Violations) -> Option<Self>;
    fn pack(&self, out: &mut Vec<u8>);
    fn unpack(input: &mut Reader<'a>) -> Option<Self>;
    fn scalars(&self) -> Vec<Scalar<'_>>;
}

impl<'a> Touchpoint<'a> {
    /// Reads `data` of this type and version, noting everything that is wrong with it.
    pub(crate) fn decode(
        kind: Kind,
        version: u32,
        slots: &mut Slots<'a>,
        about: &About,
        broken: &mut Violations,
    ) -> Option<Self> {
        lift::to_newest(kind, version, slots);
        Self::read(kind, slots, about, broken)
    }

    /// The value of a field by its name; nothing if the event has no such field.
    pub fn field(&self, name: &str) -> Option<Scalar<'_>> {
        let index = self.kind().fields().iter().position(|field| field.name == name)?;
        self.scalars().into_iter().nth(index)
    }
}

impl Serialize for Touchpoint<'_> {
    /// The form of `data` on the wire: absent fields are left out.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (field, value) in self.kind().fields().iter().zip(self.scalars()) {
            if value != Scalar::Null {
                map.serialize_entry(field.name, &value)?;
            }
        }
        map.end()
    }
}
