//! Objects in the input of a run.

use std::{fmt::Formatter, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, de::MapAccess, de::Visitor, de::value::MapAccessDeserializer,
};

/// Reads an object, or null as one in which everything is left open. Serde would also take an array as the fields by their
/// position.
pub(super) fn object_or_null<'de, T, D>(reader: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    object_or_none(reader).map(Option::unwrap_or_default)
}

/// Reads an object, or null as none.
pub(super) fn object_or_none<'de, T, D>(reader: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct ObjectVisitor<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Option<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(fields)).map(Some)
        }

        fn visit_unit<E>(self) -> Result<Option<T>, E> {
            Ok(None)
        }
    }

    reader.deserialize_any(ObjectVisitor(PhantomData))
}
