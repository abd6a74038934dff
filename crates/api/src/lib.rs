//! Generated protobuf, conversions, and errors as gRPC Status.
