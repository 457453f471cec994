use proptest::prelude::*;
use serde_json::json;

use super::*;

/// What the text becomes when the second document of two is changed by this function.
#[track_caller]
fn check(before: &str, change: impl FnOnce(&mut Value), expected: &str) {
    let found = changed(before, 0, change);
    assert_eq!(found.as_deref(), Ok(expected), "of\n{before}");
}

fn changed(before: &str, index: u32, change: impl FnOnce(&mut Value)) -> Result<String, Uneditable> {
    let reading = read(before.as_bytes(), &Budget::default());
    let mut wanted = reading.documents.iter().find(|document| document.index == index).unwrap().value.clone();
    change(&mut wanted);
    edit(before, index, &wanted)
}

const DESCRIPTOR: &str = "\
# Who we are
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: ledger   # never changes
  description: >-
    Counts
    money
  # what finds us
  annotations:
    'a/b': \"one\"   # first
    # about the second
    c/d: two

  tags:
  - money   # ours
  - rust
spec:
  type: service
  owner: team-a # the team
  lifecycle:
";

#[test]
fn a_value_is_replaced_where_it_stands() {
    check(
        DESCRIPTOR,
        |value| value["spec"]["owner"] = json!("group:default/b"),
        &DESCRIPTOR.replace("team-a #", "group:default/b #"),
    );
    check(DESCRIPTOR, |value| value["spec"]["owner"] = json!("yes"), &DESCRIPTOR.replace("team-a #", "\"yes\" #"));
    check(
        DESCRIPTOR,
        |value| value["spec"]["lifecycle"] = json!("retired"),
        &DESCRIPTOR.replace("lifecycle:\n", "lifecycle: retired\n"),
    );
    let annotation =
        |text: &'static str| move |value: &mut Value| value["metadata"]["annotations"]["a/b"] = json!(text);
    check(DESCRIPTOR, annotation("a \"b\""), &DESCRIPTOR.replace("\"one\"", "\"a \\\"b\\\"\""));
    let single = DESCRIPTOR.replace("\"one\"", "'one'");
    check(&single, annotation("it's"), &single.replace("'one'", "'it''s'"));
    check(
        DESCRIPTOR,
        |value| value["metadata"]["description"] = json!("Short"),
        &DESCRIPTOR.replace(">-\n    Counts\n    money\n", "Short\n"),
    );
    check(
        DESCRIPTOR,
        |value| value["spec"]["owner"] = json!("a\nb\n"),
        &DESCRIPTOR.replace("owner: team-a # the team\n", "owner: | # the team\n    a\n    b\n"),
    );
}

#[test]
fn keys_come_after_the_others_and_go_with_their_lines() {
    check(
        DESCRIPTOR,
        |value| value["metadata"]["annotations"]["e/f"] = json!("three"),
        &DESCRIPTOR.replace("c/d: two\n", "c/d: two\n    e/f: three\n"),
    );
    check(
        DESCRIPTOR,
        |value| value["metadata"]["labels"] = json!({"tier": "1"}),
        &DESCRIPTOR.replace("  - rust\n", "  - rust\n  labels:\n    tier: \"1\"\n"),
    );
    check(
        DESCRIPTOR,
        |value| {
            value["metadata"]["annotations"].as_object_mut().unwrap().shift_remove("a/b");
        },
        &DESCRIPTOR.replace("    'a/b': \"one\"   # first\n", ""),
    );
    check(
        DESCRIPTOR,
        |value| {
            value["metadata"].as_object_mut().unwrap().shift_remove("annotations");
        },
        &DESCRIPTOR.replace("  annotations:\n    'a/b': \"one\"   # first\n    # about the second\n    c/d: two\n", ""),
    );
    check(
        DESCRIPTOR,
        |value| value["metadata"]["annotations"] = json!({"new": "x"}),
        &DESCRIPTOR.replace("    'a/b': \"one\"   # first\n", "").replace("    c/d: two\n", "    new: x\n"),
    );
}

#[test]
fn lists_keep_the_lines_that_stay() {
    let tags = |tags: Value| move |value: &mut Value| value["metadata"]["tags"] = tags;
    check(DESCRIPTOR, tags(json!(["money", "go"])), &DESCRIPTOR.replace("  - rust\n", "  - go\n"));
    check(DESCRIPTOR, tags(json!(["rust"])), &DESCRIPTOR.replace("  - money   # ours\n", ""));
    check(
        DESCRIPTOR,
        tags(json!(["money", "rust", "a", "b"])),
        &DESCRIPTOR.replace("- rust\n", "- rust\n  - a\n  - b\n"),
    );
    check(DESCRIPTOR, tags(json!(["x"])), &DESCRIPTOR.replace("  - money   # ours\n  - rust\n", "    - x\n"));
    check(DESCRIPTOR, tags(json!([])), &DESCRIPTOR.replace("tags:\n  - money   # ours\n  - rust\n", "tags: []\n"));
    let brackets = "metadata: {name: x, tags: [a, b]} # all\n";
    check(brackets, tags(json!(["b", "c d"])), "metadata: {name: x, tags: [b, \"c d\"]} # all\n");
    let flow = "metadata:\n  tags: [a, b] # all\n";
    check(flow, tags(json!(["b"])), "metadata:\n  tags: [b] # all\n");
    let none = "metadata:\n  tags: [] # all\n";
    check(none, tags(json!(["b"])), "metadata:\n  tags: # all\n    - b\n");
}

#[test]
fn braces_are_written_in() {
    check("a: {b: 1}\n", |value| value["a"]["c"] = json!("x"), "a: {b: 1, \"c\": \"x\"}\n");
    check("a: {b: 1, c: 2}\n", |value| value["a"] = json!({"c": 2}), "a: {c: 2}\n");
    check("a: {b: 1, c: 2}\n", |value| value["a"] = json!({"b": 1}), "a: {b: 1}\n");
    check("a: {} # none\n", |value| value["a"]["c"] = json!("x"), "a: # none\n  c: x\n");
    let json = "{\n  \"kind\": \"API\",\n  \"metadata\": {\n    \"name\": \"x\",\n    \"tags\": [\n      \"a\"\n    ]\n  }\n}\n";
    check(
        json,
        |value| {
            value["metadata"]["tags"] = json!(["a", "b"]);
            value["metadata"]["labels"] = json!({"l": "1"});
            value["kind"] = json!("Component");
        },
        "{\n  \"kind\": \"Component\",\n  \"metadata\": {\n    \"name\": \"x\",\n    \"tags\": [\n      \"a\",\n      \"b\"\n    ],\n    \"labels\": {\n      \"l\": \"1\"\n    }\n  }\n}\n",
    );
}

#[test]
fn other_documents_and_line_breaks_stay() {
    let two = "\u{feff}# é first\r\na: 1\r\n---\r\n# second\r\nb: {x: ü}\r\nc: 2 # é\r\n...\r\n---\r\n---\r\nd: 4";
    let expected = two.replace("c: 2 #", "c: 3 #").replace("# é\r\n...", "# é\r\nz:\r\n  - q\r\n...");
    let found = changed(two, 1, |value| {
        value["c"] = json!(3);
        value["z"] = json!(["q"]);
    });
    assert_eq!(found, Ok(expected));
    let last = changed(two, 3, |value| value["e"] = json!(5));
    assert_eq!(last, Ok(format!("{two}\r\ne: 5")));
}

#[test]
fn what_cannot_be_changed_alone_is_refused() {
    let shared = "a: &x one\nb: *x\n";
    assert_eq!(changed(shared, 0, |value| value["a"] = json!("two")), Err(Uneditable::Unusual));
    check(shared, |value| value["b"] = json!("two"), "a: &x one\nb: two\n");
    assert_eq!(changed("? a\n: 1\n", 0, |value| value["a"] = json!(2)), Err(Uneditable::Unusual));
    assert_eq!(edit("a: 1\n", 4, &json!({})), Err(Uneditable::Absent(4)));
    let broken = edit("a: 1\n---\nb: [\n", 1, &json!({}));
    assert!(matches!(broken, Err(Uneditable::Broken { line: 3 | 4, .. })), "{broken:?}");
    // A broken neighbour is no hindrance.
    let beside = "b: [\n---\na: 1\n";
    assert_eq!(edit(beside, 1, &json!({"a": 2})), Ok("b: [\n---\na: 2\n".to_owned()));
}

/// A scalar and a way to write it.
fn scalar() -> impl Strategy<Value = (Value, String)> {
    let word = prop::sample::select(vec![
        "team-a", "yes", "it's", "a: b", "", "12", "ü # no", "- x", "*y", "{", "a\nb", "x\n",
    ]);
    prop_oneof![
        word.clone().prop_map(|text| (json!(text), json!(text).to_string())),
        word.prop_map(|text| (json!(text), yaml::to_yaml(&json!(text)).trim_end().to_owned())),
        prop::sample::select(vec!["plain", "two words", "a/b"]).prop_map(|text| (json!(text), text.to_owned())),
        prop::sample::select(vec!["it's", ""])
            .prop_map(|text| (json!(text), format!("'{}'", text.replace('\'', "''")))),
        Just((json!(null), String::new())),
        Just((json!(7), "7".to_owned())),
    ]
    .prop_filter("one line", |(_, text)| !text.contains('\n'))
}

fn comment() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "", "  # why: this", " #"]).prop_map(str::to_owned)
}

/// Lines between others.
fn between() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "", "\n", "# a: comment\n", "# [left\n\n"]).prop_map(str::to_owned)
}

/// The key of a block with its value, as deep as this, and what it says.
fn field(depth: usize) -> BoxedStrategy<(Value, String)> {
    let pad = " ".repeat(depth * 2 + 2);
    let plain = (scalar(), comment()).prop_map(|((value, text), comment)| (value, format!(" {text}{comment}\n")));
    let block = Just((json!("l1\n\nl2\n"), format!(" |\n{pad}l1\n\n{pad}l2\n")));
    let folded = Just((json!("l1 l2"), format!(" >-\n{pad}l1\n{pad}l2\n")));
    let over = Just((json!("l1 l2"), format!("\n{pad}l1\n{pad}l2\n")));
    let list = (prop::collection::vec((scalar(), comment()), 1..4), any::<bool>(), comment()).prop_map(
        move |(items, is_deep, comment)| {
            let pad = " ".repeat(depth * 2 + if is_deep { 2 } else { 0 });
            let text = items.iter().map(|((_, text), comment)| format!("{pad}- {text}{comment}\n")).collect::<String>();
            (items.into_iter().map(|((value, _), _)| value).collect(), format!("{comment}\n{text}"))
        },
    );
    let flow = (prop::collection::vec(prop::sample::select(vec!["a", "b-c"]), 0..3), comment())
        .prop_map(|(items, comment)| (json!(items), format!(" [{}]{comment}\n", items.join(", "))));
    let braces = (0..3_usize, comment()).prop_map(|(count, comment)| {
        let map: Map<String, Value> = (0..count).map(|at| (format!("k{at}"), json!(at))).collect();
        let text: Vec<String> = (0..count).map(|at| format!("k{at}: {at}")).collect();
        (Value::Object(map), format!(" {{{}}}{comment}\n", text.join(", ")))
    });
    let leaf = prop_oneof![4 => plain, 1 => block, 1 => folded, 1 => over, 2 => list, 1 => flow, 1 => braces];
    if depth > 1 {
        return leaf.boxed();
    }
    let map =
        (mapping(depth + 1), comment()).prop_map(|((value, text), comment)| (value, format!("{comment}\n{text}")));
    prop_oneof![3 => leaf, 2 => map].boxed()
}

fn mapping(depth: usize) -> BoxedStrategy<(Value, String)> {
    let names = prop::sample::subsequence(vec!["a", "b/c", "'d e'", "\"f\"", "annotations"], 1..5);
    names
        .prop_flat_map(move |names| {
            let fields = prop::collection::vec((field(depth), between()), names.len());
            (Just(names), fields)
        })
        .prop_map(move |(names, fields)| {
            let pad = " ".repeat(depth * 2);
            let mut value = Map::new();
            let mut text = String::new();
            for (name, ((field, written), between)) in names.into_iter().zip(fields) {
                value.insert(name.trim_matches(['"', '\'']).to_owned(), field);
                let between = if depth == 0 { between.replace("# [left", "# top") } else { between };
                text.push_str(&format!("{between}{pad}{name}:{written}"));
            }
            (Value::Object(value), text)
        })
        .boxed()
}

/// A value with some things changed, as chosen by these numbers.
fn mutated(value: &Value, choices: &mut impl Iterator<Item = u8>) -> Value {
    let Value::Object(map) = value else { return json!("changed") };
    let mut new = Map::new();
    for (name, field) in map {
        match choices.next().unwrap_or(9) % 8 {
            0 => {}
            1 => drop(new.insert(name.clone(), json!("it's: changed"))),
            2 => drop(new.insert(name.clone(), json!(["a", "changed"]))),
            3 => drop(new.insert(name.clone(), json!({"x": {"y": "z"}}))),
            4 => drop(new.insert(name.clone(), mutated(field, choices))),
            _ => drop(new.insert(name.clone(), field.clone())),
        }
    }
    if choices.next().unwrap_or(9).is_multiple_of(3) {
        new.insert("new".to_owned(), json!(["q", {"r": null}]));
    }
    Value::Object(new)
}

/// Names of the first level that are the same before and after.
fn unchanged(before: &Value, after: &Value) -> Vec<String> {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return Vec::new() };
    before.iter().filter(|(name, field)| after.get(*name) == Some(field)).map(|(name, _)| name.clone()).collect()
}

proptest! {
    #[test]
    fn the_document_says_what_is_wanted_and_the_rest_is_as_it_was(
        (value, text) in mapping(0), choices in prop::collection::vec(any::<u8>(), 24), ends in any::<bool>(),
    ) {
        let head = "# head\nz: [1, {q: w}] # é\n---\n";
        let tail = "---\nz: |\n  last\n\n# end\n";
        let whole = if ends { format!("{head}{text}") } else { format!("{head}{text}{tail}") };
        let reading = read(whole.as_bytes(), &Budget::default());
        prop_assert_eq!(&reading.faults, &vec![], "{}", whole);
        prop_assert_eq!(&reading.documents[1].value, &value, "{}", whole);
        let wanted = mutated(&value, &mut choices.into_iter());
        let found = edit(&whole, 1, &wanted);
        if wanted.as_object().is_some_and(Map::is_empty) {
            return Ok(());
        }
        let found = found.map_err(|error| TestCaseError::fail(format!("{error}: {wanted} in\n{whole}")))?;
        let again = read(found.as_bytes(), &Budget::default());
        prop_assert_eq!(&again.documents[1].value, &wanted, "{}\n{}", whole, found);
        prop_assert!(found.starts_with(head));
        prop_assert!(ends || found.ends_with(tail));
        // Every line that says something unchanged is there, in the same order.
        let lines: Vec<&str> = whole.lines().collect();
        let mut rest = found.lines();
        for name in unchanged(&value, &wanted) {
            let start = reading.documents[1].place(&format!("/{}", super::super::escape(&name)), super::super::Spot::Key).0;
            let line = lines[start as usize - 1];
            prop_assert!(rest.any(|kept| kept == line), "{line} of\n{whole}\nin\n{found}");
        }
        // So is what stands between keys.
        let tops = |text: &str| text.lines().filter(|line| *line == "# top").count();
        prop_assert_eq!(tops(&whole), tops(&found), "{}\n{}", whole, found);
        if wanted == value {
            prop_assert_eq!(found, whole);
        }
    }

    #[test]
    fn no_text_is_changed_into_another_meaning(text in "[a-c:{}\\[\\]&*!|> \\n#'\",-]{0,40}", name in "[a-c]") {
        let reading = read(text.as_bytes(), &Budget::default());
        for document in &reading.documents {
            let mut wanted = document.value.clone();
            let Some(map) = wanted.as_object_mut() else { continue };
            map.insert(name.clone(), json!("new"));
            if let Ok(edited) = edit(&text, document.index, &wanted) {
                let after = read(edited.as_bytes(), &Budget::default());
                prop_assert!(after.documents.iter().any(|other| other.value == wanted), "{text}\n{edited}");
            }
        }
    }
}
