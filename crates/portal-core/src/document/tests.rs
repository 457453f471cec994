use std::fmt::Write;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Far above what is needed on a busy machine; what hangs takes hours.
const HANG: Duration = Duration::from_secs(120);

fn read_all(text: impl AsRef<[u8]>) -> Reading {
    read(text.as_ref(), &Budget::default())
}

/// The only document of a text.
#[track_caller]
fn one(text: &str) -> Document {
    let mut reading = read_all(text);
    assert_eq!(reading.faults, [], "{text}");
    assert_eq!(reading.documents.len(), 1, "{text}");
    reading.documents.remove(0)
}

/// The first fault of a text: rule, line, column, pointer.
#[track_caller]
fn fault(text: impl AsRef<[u8]>) -> (String, u32, u32, String) {
    let reading = read_all(text.as_ref());
    let (_, fault) = reading.faults.into_iter().next().expect("a fault");
    (fault.rule, fault.line, fault.column, fault.pointer)
}

#[track_caller]
fn check_fault(text: impl AsRef<[u8]>, rule: &str, line: u32, column: u32, pointer: &str) {
    let shown = String::from_utf8_lossy(text.as_ref()).into_owned();
    assert_eq!(fault(text), (rule.to_owned(), line, column, pointer.to_owned()), "{shown}");
}

#[test]
fn scalars_mean_what_the_npm_package_reads() {
    for (text, expected) in [
        ("yes", json!("yes")),
        ("NO", json!("NO")),
        ("on", json!("on")),
        ("true", json!(true)),
        ("False", json!(false)),
        ("TRUE", json!(true)),
        ("tRue", json!("tRue")),
        ("null", json!(null)),
        ("~", json!(null)),
        ("nuLL", json!("nuLL")),
        ("", json!(null)),
        ("0755", json!(755)),
        ("0o755", json!(493)),
        ("0x1F", json!(31)),
        ("0x", json!("0x")),
        ("0o8", json!("0o8")),
        ("0b1", json!("0b1")),
        ("+12", json!(12)),
        ("-0", json!(0)),
        ("1_000", json!("1_000")),
        ("1.0", json!(1)),
        ("1.50", json!(1.5)),
        (".5", json!(0.5)),
        ("5.", json!(5)),
        ("-1e3", json!(-1000)),
        ("1.e2", json!(100)),
        ("1e", json!("1e")),
        (".", json!(".")),
        ("+", json!("+")),
        ("1.2.3", json!("1.2.3")),
        ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
        ("36893488147419103232", json!(36893488147419103232_f64)),
        ("2024-01-01", json!("2024-01-01")),
        ("2024-01-01T10:00:00Z", json!("2024-01-01T10:00:00Z")),
        ("12:30:45", json!("12:30:45")),
        ("'true'", json!("true")),
        ("\"12\"", json!("12")),
        ("|\n    1", json!("1\n")),
        ("!!str 12", json!("12")),
        ("!!str", json!("")),
        ("!!int \"12\"", json!(12)),
        ("!!int x", json!("x")),
        ("!!int 1.0", json!("1.0")),
        ("!!float 1.5", json!(1.5)),
        ("!!float 1", json!("1")),
        ("!!bool \"true\"", json!(true)),
        ("!!bool yes", json!("yes")),
        ("!!null ''", json!(null)),
        ("! 12", json!("12")),
        ("!custom 12", json!("12")),
        ("\"\\ud83d\\ude00 \\u00e9\"", json!("😀 é")),
        ("${{ values.name }}", json!("${{ values.name }}")),
    ] {
        let text = format!("a: {text}\nz: 1");
        assert_eq!(one(&text).value["a"], expected, "{text}");
    }
}

#[test]
fn a_document_may_ask_for_the_old_schema() {
    let text = "%YAML 1.1\n---\n[yes, n, Off, 0755, 0b11, 1_000, 1:30, 1.5, 09, x]";
    assert_eq!(one(text).value, json!([true, false, false, 493, 3, 1000, 90, 1.5, "09", "x"]));
    assert_eq!(one("%YAML 1.2\n---\nyes").value, json!("yes"));
}

#[test]
fn keys_are_texts() {
    let value = one("1: a\ntrue: b\n~: c\n'x y': d\n? long\n: e\n&k f: g\nh: *k").value;
    assert_eq!(value, json!({ "1": "a", "true": "b", "": "c", "x y": "d", "long": "e", "f": "g", "h": "f" }));
    assert_eq!(one("a: &x k\n*x : v").value, json!({ "a": "k", "k": "v" }));
}

#[test]
fn aliases_repeat_and_merge_keys_do_not_merge() {
    let value = one("base: &b {x: [1, {y: 2}]}\nuse: *b\n<<: *b\n").value;
    let base = json!({ "x": [1, { "y": 2 }] });
    assert_eq!(value, json!({ "base": base, "use": base, "<<": base }));
}

#[test]
fn documents_are_counted_and_empty_ones_skipped() {
    let places = |text: &str| {
        let reading = read_all(text);
        assert_eq!(reading.faults, [], "{text}");
        reading.documents.iter().map(|document| (document.index, document.line)).collect::<Vec<_>>()
    };
    assert_eq!(places(""), []);
    assert_eq!(places("# only a comment\n"), []);
    assert_eq!(places("---\n---\n~\n---\na: 1\n"), [(2, 5)]);
    assert_eq!(places("# c\n---\n# d\na: 1\n...\n\n---\nb: 1\n"), [(0, 4), (1, 8)]);
    assert_eq!(places("a: 1\n...\n%YAML 1.2\n---\nb: 1\n...\nc: 1"), [(0, 1), (1, 5), (2, 7)]);
    assert_eq!(places("\u{feff}a: 1\r\n---\r\nb: 2\r\n"), [(0, 1), (1, 3)]);
    assert_eq!(places("--- a\n--- b\r--- c"), [(0, 1), (1, 2), (2, 3)]);
    assert_eq!(places("a: |\n  ---\n  x\n---\nb: '\n  --- '\n"), [(0, 1), (1, 5)]);
}

#[test]
fn json_is_read_with_tabs_and_escapes() {
    let text = "{\n\t\"a\": [\n\t\t1, \"x\\/y\\ud83d\\ude00\\n\"\n\t],\n\t\"b\": null\n}\n";
    let document = one(text);
    assert_eq!(document.value, json!({ "a": [1, "x/y😀\n"], "b": null }));
    assert_eq!(document.position("/a/0"), (3, 3));
}

#[test]
fn every_key_and_value_has_a_place() {
    let document = one(
        "# c\nmetadata:\n  'é é':  ü\n  list:\n    - x\n    - {a: 1, b/c: [2,   3]}\nempty:\nlast: &a\n  k: 1\ncopy: *a\n",
    );
    for (pointer, key, value) in [
        ("", (2, 1), (2, 1)),
        ("/metadata", (2, 1), (3, 3)),
        ("/metadata/é é", (3, 3), (3, 11)),
        ("/metadata/list/0", (5, 7), (5, 7)),
        ("/metadata/list/1/a", (6, 8), (6, 11)),
        ("/metadata/list/1/b~1c", (6, 14), (6, 19)),
        ("/metadata/list/1/b~1c/1", (6, 25), (6, 25)),
        ("/empty", (7, 1), (7, 1)),
        ("/last/k", (9, 3), (9, 6)),
        ("/copy", (10, 1), (10, 7)),
        ("/copy/k", (9, 3), (9, 6)),
        // What is absent has the place of the key that it is missing under.
        ("/metadata/absent/deeper", (2, 1), (2, 1)),
        ("/metadata/list/7", (4, 3), (4, 3)),
        ("/absent", (2, 1), (2, 1)),
    ] {
        assert_eq!(document.place(pointer, Spot::Key), key, "key {pointer}");
        assert_eq!(document.place(pointer, Spot::Value), value, "value {pointer}");
    }
}

#[test]
fn faults_name_their_place() {
    check_fault("a: 1\nb:\n  c: 1\n  c: 2\n", "duplicate_key", 4, 3, "/b/c");
    check_fault("a: [1, 2\nb: 1", "yaml_syntax", 2, 2, "/a/1");
    check_fault("a:\n\tb: 1", "yaml_syntax", 2, 2, "/a");
    check_fault("a: b: c", "yaml_syntax", 1, 5, "");
    check_fault("foo: [\n bar\n", "yaml_syntax", 2, 5, "/foo/1");
    check_fault("a:\n  - *nope", "yaml_syntax", 2, 5, "/a/0");
    check_fault("a: &a [*a]", "recursive_alias", 1, 8, "/a/0");
    check_fault("? [a]\n: 1", "complex_key", 1, 3, "");
    check_fault("a: &x [1]\n*x : 1", "complex_key", 2, 1, "");
    check_fault("a: -.INF", "number_not_finite", 1, 4, "/a");
    check_fault("a: [.nan]", "number_not_finite", 1, 5, "/a/0");
    check_fault("a: 1e999", "number_not_finite", 1, 4, "/a");
    check_fault("a: 1\0", "yaml_syntax", 1, 5, "");
    check_fault(
        "é: 1\nb: ü\u{e9}\n---\n".as_bytes().iter().copied().chain(*b"x: \xc3\xa9\xff").collect::<Vec<_>>(),
        "invalid_utf8",
        4,
        5,
        "",
    );
    check_fault(b"\xff\xfea\0:\0", "invalid_utf8", 1, 1, "");
    check_fault("\"\\ud83d\"", "yaml_syntax", 1, 1, "");
}

#[test]
fn syntax_faults_speak_of_the_text() {
    for (text, expected) in [
        ("a:\n\tb: 1", "a tab"),
        ("a: *x", "no anchor"),
        ("a: \"\\q\"", "no such escape"),
        ("a: \"\\ud83d\"", "not a character"),
        ("a: b: c", "cannot stand here"),
        ("a: - b", "list item"),
        ("a: @b", "cannot start"),
        ("a: 'b\nc: d", "quoted text goes on"),
        ("'b", "never closed"),
        ("a: \"b\" c", "closing quote"),
        ("a: {b: c", "braces"),
        ("a: [b", "brackets"),
        ("a: 1\n b: 2", "cannot stand here"),
        ("a:\n  b: 1\n c: 2", "not a key of"),
        ("a: 1\nb\n", "end with `:`"),
    ] {
        let (_, fault) = read_all(text).faults.remove(0);
        assert!(fault.message.contains(expected), "{text}: {fault:?}");
        assert!(fault.hint.is_some(), "{text}: {fault:?}");
    }
}

#[test]
fn a_broken_document_harms_only_itself() {
    let reading = read_all("a: 1\n---\nb: [\n---\nc: 'x\n---\nd: 1\nd: 2\n---\ne: \"\\q\"\n...\n---\nf: 6\n");
    let good: Vec<_> = reading.documents.iter().map(|document| (document.index, document.value.to_string())).collect();
    assert_eq!(good, [(0, "{\"a\":1}".to_owned()), (5, "{\"f\":6}".to_owned())]);
    assert_eq!(reading.faults.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn all_duplicate_keys_of_a_document_are_told() {
    let reading = read_all("a: 1\na: 2\nb: {c: 1, c: 2}\n");
    let pointers: Vec<_> = reading.faults.iter().map(|(_, fault)| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/a", "/b/c"]);
}

#[test]
fn ten_thousand_malformed_documents_are_ten_thousand_faults() {
    let broken = ["a: [", "a: 'x", "a:\n\tb", "{", "a: b: c", "@", "*x", "a: 1\na: 2", "- a\nb", "\"\\q\""];
    let mut text = String::new();
    for index in 0..10_000 {
        let _ = writeln!(text, "---\n{}", broken[index % broken.len()]);
        let _ = writeln!(text, "---\ngood: {index}");
    }
    let budget = Budget { documents: 100_000, ..Budget::default() };
    let start = Instant::now();
    let reading = read(text.as_bytes(), &budget);
    assert_eq!((reading.documents.len(), reading.faults.len()), (10_000, 10_000));
    assert!(start.elapsed() < HANG, "{:?}", start.elapsed());
}

#[test]
fn budgets_hold_at_their_limit() {
    let budget = Budget { bytes: 100, documents: 3, nodes: 10, depth: 4, aliases: 2 };
    let rule = |text: &str| read(text.as_bytes(), &budget).faults.first().map(|(_, fault)| fault.rule.clone());
    let check = |text: String, expected: Option<&str>| assert_eq!(rule(&text).as_deref(), expected, "{text}");
    check(format!("# {}", "x".repeat(98)), None);
    check(format!("# {}", "x".repeat(99)), Some("too_large"));
    check("--- 1\n".repeat(3), None);
    check("--- 1\n".repeat(4), Some("too_many_documents"));
    check("[1,2,3,4,5,6,7,8,9]".to_owned(), None);
    check("[1,2,3,4,5,6,7,8,9,0]".to_owned(), Some("too_many_nodes"));
    check("[[[[]]]]".to_owned(), None);
    check("[[[[[]]]]]".to_owned(), Some("too_deep"));
    check("[&a [[[]]]]".to_owned(), None);
    check("[&a [[]],[[*a]]]".to_owned(), Some("too_deep"));
    check("[&a 1,*a,*a]".to_owned(), None);
    check("[&a 1,*a,*a,*a]".to_owned(), Some("too_many_aliases"));
}

#[test]
fn what_exceeds_a_budget_ends_the_input_but_keeps_what_was_read() {
    let budget = Budget { nodes: 5, ..Budget::default() };
    let reading = read(b"a: 1\n---\n[1,2,3,4,5]\n---\nb: 1", &budget);
    assert_eq!(reading.documents.len(), 1);
    assert_eq!(reading.faults.len(), 1);
    assert_eq!(reading.faults[0].0, 1);
    // Depth costs its document only.
    let reading = read(format!("{0}{1}\n---\nb: 1", "[".repeat(65), "]".repeat(65)).as_bytes(), &Budget::default());
    assert_eq!((reading.documents.len(), reading.faults.len()), (1, 1));
}

#[test]
fn alias_bombs_stop_at_once() {
    let mut laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..10 {
        let _ = writeln!(laughs, "a{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 10].join(","));
    }
    let large = format!("a: &a {}\nb: [{}]", "x".repeat(1 << 20), vec!["*a"; 90].join(","));
    let nested = format!("{}{}{}", "&a [".repeat(60), "1,".repeat(100_000), "]".repeat(60));
    for bomb in [laughs, large, nested] {
        let start = Instant::now();
        let reading = read_all(&bomb);
        assert_eq!(reading.documents.len(), 0);
        assert!(reading.faults[0].1.rule.starts_with("too_"), "{:?}", reading.faults[0]);
        assert!(start.elapsed() < HANG, "{:?}", start.elapsed());
    }
}

#[test]
fn nesting_has_no_effect_on_the_stack() {
    for open in ["[", "{a: ", "{", "- ", "? ", "[{", "&a [", "!t [", "a: [", "-\t", "[? ", "{? "] {
        let start = Instant::now();
        let reading = read_all(open.repeat(100_000));
        assert_eq!(reading.documents.len(), 0, "{open}");
        assert_eq!(reading.faults.len(), 1, "{open}");
        assert!(start.elapsed() < HANG, "{open}: {:?}", start.elapsed());
    }
    let blocks: String = (0..2_000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    check_fault(blocks, "too_deep", 65, 65, &"/a".repeat(64));
}

/// Pieces that make parsers stumble, more often than random bytes do.
fn yaml_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z0-9:#{}\\[\\],&*!|>'\"%@` \\t\\n\\\\~.?<-]{0,8}",
        Just("\n---\n".to_owned()),
        Just("\n...\n".to_owned()),
        Just("\u{feff}".to_owned()),
        Just("\r\n".to_owned()),
        Just("\n  ".to_owned()),
        Just(": ".to_owned()),
        Just("- ".to_owned()),
        Just("&a ".to_owned()),
        Just("*a".to_owned()),
        Just("!!str ".to_owned()),
        Just("\"\\ud83d\\ude00\"".to_owned()),
        Just("%YAML 1.1\n".to_owned()),
        Just("%TAG ! x\n".to_owned()),
        Just("é😀".to_owned()),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn hold(bytes: &[u8]) {
    let reading = read_all(bytes);
    let lines = u32::try_from(bytes.len()).unwrap() + 1;
    let mut last = None;
    for document in &reading.documents {
        assert!(last < Some(document.index));
        last = Some(document.index);
        assert!(!document.value.is_null());
        let (line, column) = document.position("/a/b");
        assert!((1..=lines).contains(&line) && column >= 1);
    }
    for (index, fault) in &reading.faults {
        assert!((1..=lines).contains(&fault.line) && fault.column >= 1);
        assert!(reading.documents.iter().all(|document| document.index != *index));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        hold(&bytes);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in yaml_like()) {
        hold(text.as_bytes());
    }

    #[test]
    fn what_json_writes_is_read_back(value in json_value()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let reading = read_all(&text);
            prop_assert_eq!(reading.faults, vec![], "{}", text);
            let read = reading.documents.first().map_or(&Value::Null, |document| &document.value);
            prop_assert_eq!(read, &value, "{}", text);
        }
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1000..1000_i32).prop_map(|number| json!(f64::from(number) + 0.5)),
        "[ -~é😀\\n\\t\\\\\"]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[ -~]{0,10}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
