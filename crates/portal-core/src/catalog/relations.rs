//! Relations that descriptors declare, always in both directions.
