//! What the language does, in one line each, and what it refuses to do.

use serde_json::{Map, Value, json};

use super::{Context, Fault, Hosts, Style, Template, evaluate, fill, render};

fn with<T>(values: &Value, work: impl FnOnce(&Context<'_>) -> T) -> T {
    let (values, hosts) = (values.as_object().unwrap(), Hosts::default());
    work(&Context { values, functions: &[("always", true), ("failure", false)], hosts: &hosts })
}

fn written(text: &str, values: &Value) -> Result<String, Fault> {
    with(values, |context| render(text, Style::default(), context))
}

#[test]
fn expressions_mean_what_they_mean_in_javascript() {
    let values = json!({ "n": 7, "name": "payments", "list": ["b", "a"], "none": null, "o": { "a": 1 } });
    for (text, expected) in [
        ("${{ 'a' + 1 }}", "a1"),
        ("${{ true + 1 }}", "2"),
        ("${{ 7 / 2 }} ${{ 7 // 2 }} ${{ 2 ** 3 }} ${{ 1e3 }}", "3.5 3 8 "),
        ("${{ list }} ${{ o }} ${{ none }} ${{ absent.a.b }}", "b,a [object Object]  "),
        ("{% if [] and {} %}both{% endif %}", "both"),
        ("${{ '1' == 1 }} ${{ '1' === 1 }} ${{ none == absent }}", "true false true"),
        ("${{ name.toUpperCase().slice(0, 3) }}", "PAY"),
        ("${{ name | replace(r/[ae]/g, '_') }}", "p_ym_nts"),
        ("${{ list | sort | join('-') }}", "a-b"),
        ("{% set x = 0 %}{% for i in [1, 2] %}{% set x = i %}{% endfor %}${{ x }}", "2"),
        ("{% for k, v in o %}${{ k }}=${{ v }}{% endfor %}", "a=1"),
        ("{% macro m(a, b=2) %}${{ a }}${{ b }}{% endmacro %}${{ m(1) }}${{ m(1, b=3) }}", "1213"),
        ("{% switch n %}{% case 7 %}seven{% default %}other{% endswitch %}", "seven"),
        ("{% raw %}${{ kept }}{% endraw %}", "${{ kept }}"),
        ("{{ kept }} ${kept} $ {", "{{ kept }} ${kept} $ {"),
        ("a {#- gone -#} b ${{- n -}} c", "ab7c"),
        ("${{ 'github.com?owner=o&repo=r' | parseRepoUrl | pick('owner') }}", "o"),
        ("${{ 'group:default/booking' | parseEntityRef | pick('name') }}", "booking"),
        ("${{ 0.1 + 0.2 }} ${{ 1 / 0 }} ${{ 10 ** 21 }}", "0.30000000000000004 Infinity 1e+21"),
    ] {
        assert_eq!(written(text, &values).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn a_lone_expression_keeps_its_type() {
    let values = json!({ "n": 7, "t": true, "list": [1], "empty": "", "none": null });
    let input = json!({
        "n": "${{ n }}", "t": "${{ t }}", "list": "${{ list }}", "text": "n is ${{ n }}", "quoted": "${{ '7' }}",
        "gone": "${{ absent }}", "none": "${{ none }}", "empty": "${{ empty }}", "kept": "${{ oops | nothing }}",
        "items": ["${{ absent }}", 1],
    });
    let expected = json!({
        "n": 7, "t": true, "list": [1], "text": "n is 7", "quoted": "7", "none": null, "empty": "",
        "kept": "${{ oops | nothing }}", "items": [null, 1],
    });
    assert_eq!(with(&values, |context| fill(&input, context)), Ok(Some(expected)));
}

#[test]
fn conditions_may_ask_how_the_run_goes() {
    let values = json!({});
    assert_eq!(with(&values, |context| evaluate("${{ always() and not failure() }}", context)), Ok(Some(json!(true))));
    let calls = |text: &str| Template::parse(text, Style::default()).unwrap().calls(&["always", "failure"]);
    assert!(calls("${{ x and (failure() or y) }}"));
    assert!(!calls("${{ always }} failure()"));
}

#[test]
fn a_fault_names_its_place() {
    let values = json!({ "n": 7 });
    for (text, line, column, message) in [
        ("a\n${{ n | nothing }}", 2, 9, "no filter is named `nothing`"),
        ("a\n  ${{ n", 2, 8, "expected `}}`, found the end"),
        (
            "{% if n %}x",
            1,
            12,
            "the text ends, and `{% elif %}` or `{% elseif %}` or `{% else %}` or `{% endif %}` is missing",
        ),
        ("{% include 'x' %}", 1, 1, "`include` reads another file, which templates do not"),
        ("${{ absent() }}", 1, 5, "`absent` is nothing, and cannot be called"),
        ("${{ r/(/ }}", 1, 5, "not a regular expression: unclosed group"),
        ("{# open", 1, 1, "a comment that does not end: `#}` is missing"),
        ("{% for x in n %}{% frob %}{% endfor %}", 1, 17, "no block is named `frob`"),
    ] {
        let fault = written(text, &values).unwrap_err();
        assert_eq!((fault.line, fault.column, &*fault.message), (line, column, message), "{text}");
    }
}

#[test]
fn what_never_ends_is_stopped() {
    let deep = format!("${{{{ {}1{} }}}}", "(".repeat(50_000), ")".repeat(50_000));
    let nots = format!("${{{{ {} 1 }}}}", "not ".repeat(50_000));
    let minus = format!("${{{{ {}1 }}}}", "- ".repeat(50_000));
    let chain = format!("${{{{ 1{} }}}}", " + 1".repeat(50_000));
    let path = format!("${{{{ a{} }}}}", ".a".repeat(50_000));
    let blocks = format!("{}x{}", "{% if 1 %}".repeat(10_000), "{% endif %}".repeat(10_000));
    for text in [
        "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}",
        "${{ 'x'.repeat(1000000000) }}",
        "${{ 'x'.padEnd(1000000000) }}",
        "${{ 'x' | center(1000000000) }}",
        "${{ range(1000000000) | length }}",
        "{% macro f(n) %}${{ f(n + 1) }}{% endmacro %}${{ f(1) }}",
        "{% set x = 'xxxxxxxxxxxxxxxx' %}{% for i in range(100) %}{% set x = x ~ x %}{% endfor %}",
        "{% set x = [1, 2, 3, 4] %}{% for i in range(100) %}{% set x = x.concat(x) %}{% endfor %}",
        "{% set x = 'aa' %}{% for i in range(100) %}{% set x = x | replace('a', 'aa') %}{% endfor %}",
        "{% for i in range(100000) %}${{ 'a' | urlencode }}{% endfor %}",
        &deep,
        &nots,
        &minus,
        &chain,
        &path,
        &blocks,
    ] {
        let fault = written(text, &json!({})).expect_err(&text[..text.len().min(80)]);
        let is_told = fault.is_budget || fault.message.starts_with("more than");
        assert!(is_told, "{}: {fault}", &text[..text.len().min(80)]);
    }
}

#[test]
fn a_list_within_itself_ends() {
    let text = "{% set a = [1] %}{% set b = a.push(a) %}${{ a | length }}${{ a | dump | length > 2 }}${{ a }}";
    assert!(written(text, &json!({})).is_ok());
}

#[test]
fn nothing_of_the_machine_can_be_reached() {
    for text in [
        "${{ debug() }}",
        "${{ ''.constructor.constructor('return 1')() }}",
        "${{ process.env }}",
        "${{ require('fs') }}",
        "${{ __proto__ }}${{ this }}${{ self }}${{ env }}${{ loop.__class__ }}",
    ] {
        let answer = written(text, &Value::Object(Map::new()));
        assert!(answer.as_ref().map_or(true, String::is_empty), "{text}: {answer:?}");
    }
}

#[test]
fn every_filter_that_is_known_is_there() {
    for name in super::filters::NAMES {
        let style = Style { cookiecutter: true, ..Style::default() };
        let answer = with(&json!({}), |context| render(&format!("{{{{ 'x' | {name} }}}}"), style, context));
        let is_missing = answer.is_err_and(|fault| fault.message.contains("no filter"));
        assert!(!is_missing, "{name}");
    }
}
