//! AsyncAPI 2 and 3.

use super::{check, good, listed, operation};

const PARCELS: &str = r##"
asyncapi: 3.0.0
info: { title: Parcels, version: 2.0.0 }
defaultContentType: application/cloudevents+json
servers:
  production: { host: "kafka.kestrel.example:9093", pathname: /eu, protocol: kafka-secure, description: Shared. }
channels:
  scans:
    address: "depots/{depot}/scans"
    parameters:
      depot: { description: Its code., enum: [RTM, MIL], default: RTM }
    messages:
      scanned: { $ref: "#/components/messages/Scanned" }
      lost: { payload: { type: string } }
  unused: { title: Nobody reads it }
operations:
  onScan:
    action: receive
    channel: { $ref: "#/channels/scans" }
    summary: A parcel was seen.
    messages: [{ $ref: "#/channels/scans/messages/scanned" }]
    reply: { messages: [{ $ref: "#/components/messages/Receipt" }] }
  sendAll: { action: send, channel: { $ref: "#/channels/scans" } }
components:
  messages:
    Scanned:
      name: parcel.scanned
      summary: Seen at a gate.
      contentType: application/json
      traits: [{ headers: { type: object, properties: { trace: { type: string } } } }]
      payload: { $ref: "#/components/schemas/Scan" }
      examples: [{ name: first, headers: { trace: t-1 } }, { payload: { parcel: P-1 } }]
    Receipt:
      payload:
        schemaFormat: application/vnd.apache.avro;version=1.9.0
        schema: { type: record, name: Receipt }
  schemas:
    Scan: { type: object, required: [parcel], properties: { parcel: { type: string }, next: { $ref: "#/components/schemas/Scan" } } }
"##;

#[test]
fn version_3_sends_and_receives() {
    let outline = good("asyncapi", PARCELS);
    let definition = outline.definition();
    assert_eq!(definition.specification, "AsyncAPI 3.0.0");
    assert_eq!(definition.servers[0].url, "kafka-secure://kafka.kestrel.example:9093/eu");
    assert_eq!(definition.servers[0].description.as_deref(), Some("production: Shared."));
    assert_eq!(
        listed(&definition),
        [
            "Sends",
            "  SEND depots/{depot}/scans #sendAll",
            "Receives",
            "  RECEIVE depots/{depot}/scans #onScan",
            "Channels",
            "  CHANNEL unused #channel-unused",
            "Schemas",
            "  SCHEMA Scan #schema-Scan",
        ]
    );
    check(
        &outline,
        "onScan",
        &[
            "# Channel parameters",
            "depot: string, required (one of RTM, MIL; default RTM) — Its code.",
            "# parcel.scanned [application/json] — Seen at a gate.",
            "parcel: string, required",
            "next: Scan → schema-Scan",
            "# parcel.scanned headers",
            "trace: string",
            "# Reply: Receipt [application/cloudevents+json, application/vnd.apache.avro;version=1.9.0]",
        ],
    );
    let parts = operation(&outline, "onScan").parts;
    assert_eq!(parts[1].example.as_deref(), Some("{\n  \"parcel\": \"P-1\"\n}"));
    assert_eq!(parts[2].example.as_deref(), Some("{\n  \"trace\": \"t-1\"\n}"));
    assert!(parts[3].example.as_deref().unwrap().contains("\"record\""));
    check(
        &outline,
        "sendAll",
        &[
            "# Channel parameters",
            "depot: string, required (one of RTM, MIL; default RTM) — Its code.",
            "# parcel.scanned [application/json] — Seen at a gate.",
            "parcel: string, required",
            "next: Scan → schema-Scan",
            "# parcel.scanned headers",
            "trace: string",
            "# lost [application/cloudevents+json]",
            "payload: string",
        ],
    );
}

#[test]
fn version_2_publishes_and_subscribes() {
    let outline = good(
        "asyncapi",
        r##"
asyncapi: 2.6.0
info: { title: Old, version: 1.2.0 }
servers: { test: { url: "mq.kestrel.example:{port}", protocol: amqp, variables: { port: { default: "5672" } } } }
channels:
  "bookings/{id}":
    description: Of one booking.
    parameters: { id: { schema: { type: string, format: uuid } } }
    publish:
      operationId: hold
      message: { oneOf: [{ $ref: "#/components/messages/Held" }, { $ref: "other.yaml#/Gone" }] }
    subscribe: { message: { payload: { properties: { at: { type: string } } }, headers: { properties: { k: { type: string } } } } }
  empty: {}
components: { messages: { Held: { title: It is held, payload: { type: object, properties: { id: { type: string } } } } } }
"##,
    );
    assert_eq!(outline.definition().servers[0].url, "amqp://mq.kestrel.example:5672");
    assert_eq!(
        listed(&outline.definition()),
        [
            "Publish",
            "  PUBLISH bookings/{id} #hold",
            "Subscribe",
            "  SUBSCRIBE bookings/{id} #subscribe-bookings-id",
            "Channels",
            "  CHANNEL empty #channel-empty",
        ]
    );
    check(
        &outline,
        "hold",
        &[
            "# Channel parameters",
            "id: string (uuid), required",
            "# It is held [application/json]",
            "id: string",
            "# Gone — Defined in `other.yaml#/Gone`, which is not part of the text.",
        ],
    );
    check(
        &outline,
        "subscribe-bookings-id",
        &[
            "# Channel parameters",
            "id: string (uuid), required",
            "# Message [application/json]",
            "at: string",
            "# Message headers",
            "k: string",
        ],
    );
}
