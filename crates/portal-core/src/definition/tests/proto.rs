//! Protocol Buffers.

use super::{check, faults, good, listed, operation, outline};

const QUOTES: &str = r#"
// Copyright of somebody.

syntax = "proto3";

// Prices freight.
package kestrel.pricing.v1;

import "google/protobuf/timestamp.proto";
option java_package = "x";

/* Answers within
 * 300 ms. */
service Quotes {
  option deprecated = false;
  // Prices a shipment.
  rpc Quote (QuoteRequest) returns (.kestrel.pricing.v1.Answer) {
    option (google.api.http) = { post: "/v1/quotes" body: "*" };
  }
  rpc Watch(stream QuoteRequest) returns (stream Answer); // Until it is closed.
  rpc Old(google.protobuf.Empty) returns (Answer) { option deprecated = true; }
}

message QuoteRequest {
  reserved 2, 4 to 6;
  string id = 1 [deprecated = true, (rules).max = { len: 3 }]; // Chosen by the caller.
  // Not this one.

  optional Answer.Kind kind = 3;
  repeated .kestrel.pricing.v1.Answer seen = 7;
  map<string, Answer> by_key = 8;
  oneof way {
    // By sea.
    string vessel = 9;
    int64 train = 10;
  }
  google.protobuf.Timestamp at = 11;
  QuoteRequest again = 12;
}

message Answer { // What comes back.
  enum Kind { KIND_UNSPECIFIED = 0; SPOT = 1 [deprecated = true]; /* Below. */ LOST = -1; }
  Kind kind = 1;
  message Line { double amount = 1; }
  repeated Line lines = 2;
  extensions 100 to max;
}
"#;

#[test]
fn methods_stand_by_service() {
    let definition = good("grpc", QUOTES).definition();
    assert_eq!(definition.specification, "proto3");
    assert_eq!(definition.title.as_deref(), Some("kestrel.pricing.v1"));
    assert_eq!(definition.description.as_deref(), Some("Prices freight."));
    assert_eq!(definition.sections[0].description.as_deref(), Some("Answers within\n300 ms."));
    assert_eq!(
        listed(&definition),
        [
            "Quotes",
            "  RPC Quote #Quotes.Quote",
            "  RPC Watch #Quotes.Watch",
            "  RPC Old #Quotes.Old deprecated",
            "Messages",
            "  MESSAGE QuoteRequest #type-QuoteRequest",
            "  MESSAGE Answer #type-Answer",
            "  MESSAGE Answer.Line #type-Answer.Line",
            "Enums",
            "  ENUM Answer.Kind #type-Answer.Kind",
        ]
    );
    let summaries: Vec<_> = definition.sections[0].operations.iter().map(|link| link.summary.as_deref()).collect();
    assert_eq!(summaries, [Some("Prices a shipment."), Some("Until it is closed."), None]);
}

#[test]
fn a_method_shows_both_messages() {
    let outline = good("grpc", QUOTES);
    check(
        &outline,
        "Quotes.Quote",
        &[
            "# Request [QuoteRequest]",
            "id: string, deprecated (number 1) — Chosen by the caller.",
            "kind: optional Answer.Kind (number 3; one of KIND_UNSPECIFIED, SPOT, LOST) → type-Answer.Kind",
            "seen: repeated kestrel.pricing.v1.Answer (number 7) → type-Answer",
            "  kind: Kind (number 1; one of KIND_UNSPECIFIED, SPOT, LOST) → type-Answer.Kind",
            "  lines: repeated Line (number 2) → type-Answer.Line",
            "    amount: double (number 1)",
            "by_key: map<string, Answer> (number 8) → type-Answer",
            "  kind: Kind (number 1; one of KIND_UNSPECIFIED, SPOT, LOST) → type-Answer.Kind",
            "  lines: repeated Line (number 2) → type-Answer.Line",
            "    amount: double (number 1)",
            "vessel: string (number 9; at most one of way) — By sea.",
            "train: int64 (number 10; at most one of way)",
            "at: google.protobuf.Timestamp (number 11)",
            "again: QuoteRequest (number 12) → type-QuoteRequest",
            "# Response [Answer] — What comes back.",
            "kind: Kind (number 1; one of KIND_UNSPECIFIED, SPOT, LOST) → type-Answer.Kind",
            "lines: repeated Line (number 2) → type-Answer.Line",
            "  amount: double (number 1)",
            "# HTTP",
            "POST /v1/quotes (the same call over HTTP)",
        ],
    );
    let labels: Vec<_> =
        operation(&outline, "Quotes.Watch").parts.into_iter().map(|part| part.label.unwrap()).collect();
    assert_eq!(labels, ["stream of QuoteRequest", "stream of Answer"]);
    check(
        &outline,
        "type-Answer.Kind",
        &["# Values", "KIND_UNSPECIFIED (number 0)", "SPOT, deprecated (number 1) — Below.", "LOST (number -1)"],
    );
}

#[test]
fn the_second_version_has_groups_and_defaults() {
    let text = "message A { required int32 n = 1 [default = 5]; optional group Part = 2 { optional bool b = 1; } }";
    let outline = good("protobuf", text);
    assert_eq!(outline.definition().specification, "proto2");
    check(
        &outline,
        "type-A",
        &[
            "# Fields",
            "n: int32, required (number 1; default 5)",
            "part: A.Part (number 2) → type-A.Part",
            "  b: optional bool (number 1)",
        ],
    );
}

#[test]
fn a_mistake_is_a_fault_and_the_rest_stands() {
    let outline = outline(
        "grpc",
        "syntax = \"proto3\";\nmessage A {\n  string = 1;\n  int32 good = 2;\n}\nnonsense here;\nservice S {\n  rpc X(A) gives (A);\n  rpc Y(A) returns (A);\n}\nmessage Open {\n  string late = 1;\n",
    );
    assert_eq!(
        faults(&outline.definition()),
        [
            "3: `=` stands where the name of a field is expected",
            "6: `nonsense` stands where a message, an enum or a service is expected",
            "8: `gives` stands where `returns` is expected",
            "11: `Open` is not closed with `}`",
        ]
    );
    assert_eq!(
        listed(&outline.definition()),
        ["S", "  RPC Y #S.Y", "Messages", "  MESSAGE A #type-A", "  MESSAGE Open #type-Open"]
    );
    check(&outline, "type-A", &["# Fields", "good: int32 (number 2)"]);
}
