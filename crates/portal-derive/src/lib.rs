//! `#[derive(Read)]` for the structs that cross HTTP: serde's `Deserialize` in a
//! tenth of the code.
//!
//! What `#[derive(Deserialize)]` writes is fast and long: two to three kilobytes a
//! struct, which were a tenth of the interface's wasm. Here an object is read into
//! a map first, by code that all structs share, and its fields are taken out one
//! by one. Unknown fields are skipped; an error names the field and not the line,
//! so what callers send is still read by serde's own derive.
//!
//! Of serde's attributes it knows `rename`, `default`, `deserialize_with` and
//! `flatten`; those of writing are for `Serialize`. It is for `portal-core` alone,
//! whose `fields` module it uses.

use proc_macro::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Field, Fields, LitStr, Path, parse_macro_input};

#[proc_macro_derive(Read, attributes(serde))]
pub fn derive_read(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(|error| error.to_compile_error().into())
}

/// What serde's attributes say about a field.
#[derive(Default)]
struct Rules {
    rename: Option<String>,
    default: bool,
    flatten: bool,
    with: Option<Path>,
}

fn expand(input: &DeriveInput) -> Result<TokenStream, Error> {
    let name = &input.ident;
    let unfit = || Error::new_spanned(name, "only structs with named fields and without parameters can be read");
    let Data::Struct(data) = &input.data else { return Err(unfit()) };
    let Fields::Named(fields) = &data.fields else { return Err(unfit()) };
    if !input.generics.params.is_empty() {
        return Err(unfit());
    }
    if let Some(attribute) = input.attrs.iter().find(|attribute| attribute.path().is_ident("serde")) {
        return Err(Error::new_spanned(
            attribute,
            "`Read` knows attributes of fields only; derive serde's `Deserialize`",
        ));
    }
    let (mut own, mut rest, mut idents) = (Vec::new(), Vec::new(), Vec::new());
    for field in &fields.named {
        let Some(ident) = &field.ident else { continue };
        let rules = rules(field)?;
        let key = rules.rename.unwrap_or_else(|| ident.to_string());
        idents.push(ident);
        match (rules.flatten, rules.with, rules.default) {
            (true, ..) => rest.push(quote!(let #ident = fields.rest()?;)),
            (_, Some(with), false) => own.push(quote!(let #ident = fields.take_with(#key, |value| #with(value))?;)),
            (_, Some(with), true) => {
                own.push(quote!(let #ident = fields.take_with_or_default(#key, |value| #with(value))?;));
            }
            (_, None, false) => own.push(quote!(let #ident = fields.take(#key)?;)),
            (_, None, true) => own.push(quote!(let #ident = fields.take_or_default(#key)?;)),
        }
    }
    // A struct without flattened fields never asks for the rest.
    let binding = if own.is_empty() { quote!(fields) } else { quote!(mut fields) };
    let expanded = quote! {
        impl<'de> ::serde::Deserialize<'de> for #name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                fn read(#binding: crate::fields::Fields) -> ::core::result::Result<#name, ::serde_json::Error> {
                    #(#own)*
                    #(#rest)*
                    Ok(#name { #(#idents),* })
                }
                read(::serde::Deserialize::deserialize(deserializer)?).map_err(::serde::de::Error::custom)
            }
        }
    };
    Ok(expanded.into())
}

fn rules(field: &Field) -> Result<Rules, Error> {
    let mut rules = Rules::default();
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("default") {
                rules.default = true;
            } else if meta.path.is_ident("flatten") {
                rules.flatten = true;
            } else if meta.path.is_ident("rename") {
                rules.rename = Some(meta.value()?.parse::<LitStr>()?.value());
            } else if meta.path.is_ident("deserialize_with") {
                rules.with = Some(meta.value()?.parse::<LitStr>()?.parse()?);
            } else if meta.path.is_ident("skip_serializing_if") {
                meta.value()?.parse::<LitStr>()?;
            } else {
                return Err(meta.error("not an attribute that `Read` knows; derive serde's `Deserialize`"));
            }
            Ok(())
        })?;
    }
    Ok(rules)
}
