//! The event catalogue as protobuf descriptors: which message and fields stand for which event type.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, FieldDescriptor, MessageDescriptor};
use touchpoint::{FieldSpec, Kind};

use crate::FILE_DESCRIPTOR_SET;

/// The descriptors of this build, joined with its catalogue.
pub(crate) static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::load);

/// Every event type with its descriptors.
pub(crate) struct Schema {
    /// The message `Touchpoint`.
    pub(crate) touchpoint: MessageDescriptor,
    /// The event types, in the order of [`Kind::ALL`].
    events: Vec<EventSchema>,
}

/// The descriptors of one event type.
pub(crate) struct EventSchema {
    /// The event type.
    pub(crate) kind: Kind,
    /// `dataschema` of its newest version.
    pub(crate) dataschema: String,
    /// Its field in the `oneof` of `Touchpoint`.
    pub(crate) member: FieldDescriptor,
    /// Its message.
    pub(crate) message: MessageDescriptor,
    /// Its fields, in the order of [`Kind::fields`].
    pub(crate) fields: Vec<(&'static FieldSpec, FieldDescriptor)>,
}

impl Schema {
    #[expect(clippy::expect_used, reason = "both are compiled in, and tests/fresh.rs keeps them the same")]
    fn load() -> Self {
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the descriptors are compiled in");
        let touchpoint = pool.get_message_by_name("lifefold.v1.Touchpoint").expect("events.proto has it");
        let events = Kind::ALL.iter().map(|&kind| EventSchema::load(&touchpoint, kind).expect("events.proto has it"));
        Self { events: events.collect(), touchpoint }
    }

    /// The event type whose field in the `oneof` has this number.
    pub(crate) fn by_number(&self, number: u32) -> Option<&EventSchema> {
        self.events.iter().find(|event| event.member.number() == number)
    }

    /// The descriptors of this event type.
    pub(crate) fn of(&self, kind: Kind) -> Option<&EventSchema> {
        self.events.iter().find(|event| event.kind == kind)
    }
}

impl EventSchema {
    fn load(touchpoint: &MessageDescriptor, kind: Kind) -> Option<Self> {
        let has_type = |field: &FieldDescriptor| field.kind().as_message().is_some_and(|it| it.name() == kind.name());
        let member = touchpoint.fields().find(has_type)?;
        let message = member.kind().as_message()?.clone();
        let fields = kind.fields().iter().map(|spec| Some((spec, message.get_field_by_name(spec.name)?)));
        Some(Self {
            kind,
            dataschema: format!("urn:lifefold:{}:{}", kind.name(), kind.version()),
            fields: fields.collect::<Option<_>>()?,
            member,
            message,
        })
    }
}
