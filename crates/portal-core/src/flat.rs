//! Reading structs that are written with another one's fields among their own.
//!
//! `#[serde(flatten)]` reads every value into a buffer first, and the browser
//! would carry all that code a second time.

macro_rules! flat {
    ($name:ident {
        $inner:ident: $Inner:ident { $($(#[$inner_attribute:meta])* $inner_field:ident: $inner_type:ty,)+ },
        $($(#[$attribute:meta])* $field:ident: $type:ty,)+
    }) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(serde::Deserialize)]
                struct Flat {
                    $($(#[$inner_attribute])* $inner_field: $inner_type,)+
                    $($(#[$attribute])* $field: $type,)+
                }
                let Flat { $($inner_field,)+ $($field),+ } = Flat::deserialize(deserializer)?;
                Ok(Self { $inner: $Inner { $($inner_field),+ }, $($field),+ })
            }
        }
    };
}

pub(crate) use flat;
