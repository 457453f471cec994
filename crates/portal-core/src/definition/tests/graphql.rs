//! GraphQL schemas.

use super::{check, faults, good, listed, operation, outline};

const PORTAL: &str = r#"
"Of the customer portal."
schema { query: Root, mutation: Mutation }

type Root {
  """
  A booking of this account.

  Null when there is none.
  """
  booking(id: ID!, at: Place = { code: "NLRTM" }): Booking
  old: [Int!]! @deprecated(reason: "use `booking`")
}
type Mutation { hold(input: HoldInput!, dry: Boolean = false): Result! }
type Booking implements Node & Named { id: ID!, name(short: Boolean): String, next: Booking, status: Status! }
extend type Booking { extra: Result }
interface Node { id: ID! }
interface Named { name(short: Boolean): String }
union Result = Booking | Failure
type Failure { message: String! }
enum Status { HELD "Gone." EXPIRED @deprecated }
input HoldInput { booking: ID!, place: Place, again: HoldInput }
input Place @oneOf { code: String!, near: Int }
scalar Date @specifiedBy(url: "https://example.org/date")
type Query { unrelated: Int }
"#;

#[test]
fn fields_of_the_roots_are_the_operations() {
    let definition = good("graphql", PORTAL).definition();
    assert_eq!(definition.specification, "GraphQL");
    assert_eq!(definition.description.as_deref(), Some("Of the customer portal."));
    assert_eq!(
        listed(&definition),
        [
            "Queries",
            "  QUERY booking #query-booking",
            "  QUERY old #query-old deprecated",
            "Mutations",
            "  MUTATION hold #mutation-hold",
            "Types",
            "  TYPE Booking #type-Booking",
            "  TYPE Failure #type-Failure",
            "  TYPE Query #type-Query",
            "Inputs",
            "  INPUT HoldInput #type-HoldInput",
            "  INPUT Place #type-Place",
            "Interfaces",
            "  INTERFACE Node #type-Node",
            "  INTERFACE Named #type-Named",
            "Unions",
            "  UNION Result #type-Result",
            "Enums",
            "  ENUM Status #type-Status",
            "Scalars",
            "  SCALAR Date #type-Date",
        ]
    );
}

#[test]
fn an_operation_shows_its_arguments_and_its_answer() {
    let outline = good("graphql", PORTAL);
    check(
        &outline,
        "query-booking",
        &[
            "# Arguments",
            "id: ID!, required",
            "at: Place (default { code: \"NLRTM\" }) → type-Place",
            "  code: String!, required",
            "  near: Int",
            "# Answer [Booking]",
            "id: ID!",
            "name: String",
            "  short: Boolean (argument)",
            "next: Booking → type-Booking",
            "status: Status! (one of HELD, EXPIRED) → type-Status",
            "extra: Result → type-Result",
            "  Booking → type-Booking",
            "  Failure → type-Failure",
        ],
    );
    let detail = operation(&outline, "query-booking");
    assert_eq!(detail.description.as_deref(), Some("A booking of this account.\n\nNull when there is none."));
    let example = detail.parts[1].example.as_deref().unwrap();
    assert!(example.starts_with("query($id: ID!) {\n  booking(id: $id) {\n    id\n    name\n"), "{example}");
    let old = operation(&outline, "query-old");
    assert_eq!(old.description.as_deref(), Some("Deprecated: use `booking`"));
    assert_eq!(old.parts[0].example.as_deref(), Some("query {\n  old\n}"));
}

#[test]
fn types_show_what_they_are_made_of() {
    let outline = good("graphql", PORTAL);
    check(
        &outline,
        "type-HoldInput",
        &[
            "# Fields",
            "booking: ID!, required",
            "place: Place → type-Place",
            "  code: String!, required",
            "  near: Int",
            "again: HoldInput → type-HoldInput",
        ],
    );
    check(&outline, "type-Node", &["# Fields", "id: ID!", "# Implemented by", "Booking → type-Booking"]);
    check(&outline, "type-Result", &["# Members", "Booking → type-Booking", "Failure → type-Failure"]);
    check(&outline, "type-Status", &["# Values", "HELD", "EXPIRED, deprecated — Gone."]);
    check(&outline, "type-Date", &["# Limits", "Date (specified by https://example.org/date)"]);
}

#[test]
fn roots_have_the_usual_names() {
    let outline = good("graphql", "type Query { a: Int }\ntype Subscription { b: Int }");
    assert_eq!(
        listed(&outline.definition()),
        ["Queries", "  QUERY a #query-a", "Subscriptions", "  SUBSCRIPTION b #subscription-b"]
    );
}

#[test]
fn a_mistake_is_a_fault_and_the_rest_stands() {
    let outline = outline("graphql", "type Query { a: Int }\n\ntype Broken { b: }\n\ntype Good { c: Int }\n");
    let found = faults(&outline.definition());
    assert!(found.iter().all(|fault| fault.starts_with("3: ")) && !found.is_empty(), "{found:?}");
    assert!(listed(&outline.definition()).contains(&"  TYPE Good #type-Good".to_owned()));
    assert_eq!(faults(&super::outline("graphql", " ").definition()), ["0: the definition is empty"]);
}
