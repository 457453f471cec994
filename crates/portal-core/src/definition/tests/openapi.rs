//! OpenAPI 3 and Swagger 2.

use super::{check, faults, good, listed, operation, outline, shown};

const BOOKING: &str = r##"
openapi: 3.0
info: { title: Booking, version: 1.0, description: "Books **freight**." }
servers:
  - url: https://{region}.kestrel.example/v1/
    description: Production
    variables: { region: { default: eu } }
  - url: /local
tags:
  - { name: bookings, description: Holds and contracts. }
  - { name: unused }
paths:
  x-note: 7
  /quotes/{quoteId}:
    parameters:
      - { name: quoteId, in: path, required: true, description: From the path., schema: { type: string } }
      - $ref: "#/components/parameters/Trace"
    get:
      tags: [quotes]
      parameters:
        - { name: quoteId, in: path, schema: { type: string, format: uuid }, example: q-1 }
        - { name: status, in: query, schema: { type: string, enum: [open, gone] }, deprecated: true }
        - { name: session, in: cookie, schema: { type: string } }
        - $ref: shared.yaml#/parameters/Page
      responses:
        200: { description: Found., content: { text/plain: { schema: { type: string }, example: cheap } } }
        4XX: { $ref: "#/components/responses/Broken" }
        default: { $ref: "errors.yaml#/Any" }
  /bookings:
    post:
      operationId: create booking
      tags: [bookings, quotes]
      summary: Book
      deprecated: true
      security: [{ key: [] }, { login: [write] }, {}]
      servers: [{ url: "http://book.kestrel.example" }]
      requestBody:
        required: true
        content:
          application/xml: { schema: { $ref: "#/components/schemas/Booking" } }
          application/json: { schema: { $ref: "#/components/schemas/Booking" } }
          image/png: { schema: { type: string, format: binary } }
      responses:
        "201":
          description: Made.
          headers: { Location: { description: Its address., schema: { type: string } } }
      callbacks:
        held:
          "{$request.body#/url}":
            post:
              summary: It was held.
              requestBody: { content: { application/json: { schema: { $ref: "#/components/schemas/Booking" } } } }
    get: { operationId: create-booking, responses: {} }
  /moved: { $ref: "paths/moved.yaml" }
webhooks:
  bookingHeld:
    post:
      requestBody: { content: { application/json: { schema: { $ref: "#/components/schemas/Booking" } } } }
      responses: { "204": { description: Heard. } }
components:
  parameters:
    Trace: { name: X-Trace, in: header, required: true, schema: { type: string } }
  responses:
    Broken: { description: Wrong. }
  schemas:
    Booking:
      description: A booking.
      properties: { id: { type: string, readOnly: true }, reference: { type: string, example: PO-7 } }
  securitySchemes:
    key: { type: apiKey, in: query, name: api_key }
    login:
      type: oauth2
      flows: { clientCredentials: { tokenUrl: "https://id.kestrel.example", scopes: { write: Change bookings } } }
"##;

#[test]
fn the_list_follows_the_tags() {
    let definition = good("openapi", BOOKING).definition();
    assert_eq!(definition.specification, "OpenAPI 3.0");
    assert_eq!(definition.version.as_deref(), Some("1.0"));
    assert_eq!(definition.description.as_deref(), Some("Books **freight**."));
    let servers: Vec<&str> = definition.servers.iter().map(|server| server.url.as_str()).collect();
    assert_eq!(servers, ["https://eu.kestrel.example/v1/", "/local"]);
    assert_eq!(
        listed(&definition),
        [
            "bookings",
            "  POST /bookings #create-booking deprecated",
            "quotes",
            "  GET /quotes/{quoteId} #get-quotes-quoteId",
            "Other",
            "  GET /bookings #create-booking-2",
            "  PATH /moved #moved",
            "Webhooks",
            "  POST bookingHeld #post-bookingHeld",
            "Schemas",
            "  SCHEMA Booking #schema-Booking",
        ]
    );
    let security: Vec<String> = definition.security.iter().map(super::shown_row).collect();
    assert_eq!(
        security,
        [
            "key: API key in query api_key",
            "login: OAuth 2.0 (flow client credentials; token at https://id.kestrel.example)",
            "  write: scope — Change bookings",
        ]
    );
}

#[test]
fn parameters_of_path_and_operation_come_together() {
    check(
        &good("openapi", BOOKING),
        "get-quotes-quoteId",
        &[
            "# Path parameters",
            "quoteId: string (uuid), required (for example q-1)",
            "# Query parameters",
            "status: string, deprecated (one of open, gone)",
            "# Headers",
            "X-Trace: string, required",
            "# Cookies",
            "session: string",
            "# Other parameters",
            "Page (defined in shared.yaml#/parameters/Page)",
            "# 200 OK [text/plain] — Found.",
            "body: string",
            "# 4XX Client error — Wrong.",
            "# Any other status — Defined in `errors.yaml#/Any`, which is not part of the text.",
        ],
    );
}

#[test]
fn bodies_stand_by_media_type_json_first() {
    let outline = good("openapi", BOOKING);
    check(
        &outline,
        "create-booking",
        &[
            "# Authorization — Any one of these is enough.",
            "key: API key in query api_key",
            "login: OAuth 2.0 (scope write)",
            "anonymous: no credentials",
            "# Body [application/json, application/xml] — A booking.",
            "reference: string (for example PO-7)",
            "# Body [image/png]",
            "body: string (binary)",
            "# 201 Created — Made.",
            "# 201 Created headers",
            "Location: string — Its address.",
            "# Callback held [POST {$request.body#/url}] — It was held.",
            "id: string (read only)",
            "reference: string (for example PO-7)",
        ],
    );
    let webhook = operation(&outline, "post-bookingHeld");
    assert!(webhook.call.is_none());
    assert_eq!(shown(&webhook)[1], "id: string (read only)");
}

#[test]
fn a_call_has_what_it_needs() {
    let outline = good("openapi", BOOKING);
    let call = operation(&outline, "create-booking").call.unwrap();
    assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", "/bookings"));
    assert_eq!(call.servers, ["http://book.kestrel.example"]);
    let parameters: Vec<String> = call
        .parameters
        .iter()
        .map(|of| format!("{} {} required={} secret={} {:?}", of.place, of.name, of.required, of.secret, of.example))
        .collect();
    assert_eq!(
        parameters,
        ["query api_key required=false secret=true None", "header Authorization required=false secret=true None"]
    );
    let body = call.body.unwrap();
    assert_eq!((body.media_type.as_str(), body.required), ("application/json", true));
    assert_eq!(body.example.as_deref(), Some("{\n  \"reference\": \"PO-7\"\n}"));

    let call = operation(&outline, "get-quotes-quoteId").call.unwrap();
    assert_eq!(call.servers, ["https://eu.kestrel.example/v1"]);
    let parameters: Vec<String> =
        call.parameters.iter().map(|of| format!("{} {:?} {:?}", of.name, of.example, of.options)).collect();
    assert_eq!(parameters, [r#"quoteId Some("q-1") []"#, r#"X-Trace None []"#, r#"status None ["open", "gone"]"#]);
}

#[test]
fn swagger_is_read_as_well() {
    let outline = good(
        "swagger",
        r##"
swagger: "2.0"
info: { title: Old, version: "7" }
host: old.kestrel.example
basePath: /v2
schemes: [https, http]
consumes: [application/json]
produces: [application/json, application/xml]
securityDefinitions: { pass: { type: basic } }
paths:
  /a:
    post:
      security: [{ pass: [] }]
      parameters:
        - { in: body, name: body, required: true, schema: { $ref: "#/definitions/Thing" } }
        - { in: query, name: limit, type: integer, default: 20, maximum: 50 }
      responses:
        200: { description: Done., schema: { type: array, items: { $ref: "#/definitions/Thing" } }, examples: { application/json: [{ id: 7 }] } }
  /form:
    post:
      parameters:
        - { in: formData, name: title, type: string, required: true, default: x }
      responses: { 200: { description: Done. } }
definitions:
  Thing: { type: object, properties: { id: { type: integer, format: int64, x-nullable: true } } }
"##,
    );
    let definition = outline.definition();
    assert_eq!(definition.specification, "Swagger 2.0");
    assert_eq!(definition.servers.len(), 2);
    assert_eq!(
        listed(&definition),
        ["Operations", "  POST /a #post-a", "  POST /form #post-form", "Schemas", "  SCHEMA Thing #schema-Thing"]
    );
    check(
        &outline,
        "post-a",
        &[
            "# Authorization",
            "pass: user name and password (HTTP basic), required",
            "# Query parameters",
            "limit: integer (at most 50; default 20)",
            "# Body [application/json]",
            "id: integer (int64) or null",
            "# 200 OK [application/json, application/xml] — Done.",
            "body: array of Thing → schema-Thing",
            "  id: integer (int64) or null",
        ],
    );
    let detail = operation(&outline, "post-a");
    assert_eq!(detail.parts[3].example.as_deref(), Some("[\n  {\n    \"id\": 7\n  }\n]"));
    let call = detail.call.unwrap();
    assert_eq!(call.servers, ["https://old.kestrel.example/v2", "http://old.kestrel.example/v2"]);
    assert_eq!(call.parameters[1].example.as_deref(), Some("20"));
    let form = operation(&outline, "post-form").call.unwrap().body.unwrap();
    assert_eq!(
        (form.media_type.as_str(), form.example.as_deref()),
        ("application/x-www-form-urlencoded", Some("title=x"))
    );
}

#[test]
fn references_are_followed_in_every_spelling() {
    let outline = good(
        "openapi",
        r##"
openapi: 3.1.0
paths:
  /a/{b}: { get: { responses: { "200": { content: { application/json: { schema: { properties: { x: { $ref: "#/components/schemas/a~1b~0c%20d" } } } } } } } } }
  /b: { $ref: "#/paths/~1a~1%7Bb%7D" }
components: { schemas: { "a/b~c d": { type: integer } } }
"##,
    );
    for id in ["get-a-b", "get-b"] {
        let rows = shown(&operation(&outline, id));
        assert_eq!(rows[1], "x: a/b~c d → schema-a-b-c-d", "{id}");
    }
}

#[test]
fn faults_name_their_line_and_the_rest_stands() {
    let text = r##"openapi: 3.1.0
info: 7
tags: {}
paths:
  /good: { get: { operationId: good } }
  /number: 7
  /method:
    get: []
    post:
      parameters: {}
      responses:
        "200": { $ref: "#/components/responses/Absent" }
components:
  schemas:
    List: []
    Data: { example: { $ref: "#/nowhere" }, properties: { example: { $ref: "#/nowhere" } } }
    A: { $ref: "#/components/schemas/B" }
    B: { $ref: "#/components/schemas/A" }
"##;
    let outline = outline("openapi", text);
    let definition = outline.definition();
    assert_eq!(
        faults(&definition),
        [
            "2: `info` is a number, not an object",
            "3: `tags` is an object, not a list",
            "6: `/number` is a number, not an object",
            "8: `get` is a list, not an object",
            "10: `parameters` is an object, not a list",
            "12: the reference `#/components/responses/Absent` leads nowhere",
            "15: `List` is a list, not an object",
            "16: the reference `#/nowhere` leads nowhere",
            "17: the reference `#/components/schemas/B` leads nowhere",
            "18: the reference `#/components/schemas/A` leads nowhere",
        ]
    );
    assert_eq!(
        listed(&definition),
        [
            "Operations",
            "  GET /good #good",
            "  POST /method #post-method",
            "Schemas",
            "  SCHEMA Data #schema-Data",
            "  SCHEMA A #schema-A",
            "  SCHEMA B #schema-B",
        ]
    );
    check(&outline, "post-method", &["# 200 OK"]);
}

#[test]
fn a_text_that_is_no_yaml_is_a_fault() {
    let found = faults(&outline("openapi", "openapi: 3.0.0\npaths:\n\t/a: {}\n").definition());
    assert_eq!(found, ["3: a tab stands where YAML allows only spaces; indent with spaces"]);
    assert_eq!(faults(&outline("openapi", "").definition()), ["0: the definition is empty"]);
    assert_eq!(faults(&outline("openapi", "- a").definition()), ["1: the definition is a list, not an object"]);
    let found = faults(&outline("openapi", "paths: {}").definition());
    assert_eq!(found, ["1: neither `openapi` nor `swagger` says which version this is"]);
}
