use super::*;

struct Here;

impl Surroundings for Here {
    fn path(&self) -> &str {
        "guides/start.md"
    }

    fn is_page(&self, path: &str) -> bool {
        ["index.md", "guides/start.md"].contains(&path)
    }

    fn page(&self, path: &str) -> String {
        format!("/docs?page={path}")
    }

    fn file(&self, path: &str) -> Option<String> {
        (path == "images/flow.svg").then(|| format!("/file?path={path}"))
    }
}

fn html(text: &str) -> String {
    render(text, &Here).html.replace('\n', "")
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(html(text), expected, "{text}");
}

#[test]
fn the_title_stands_above_and_headings_are_one_level_down() {
    let page = render("# Start\n\nText\n\n## Why *this*\n\n### Why this\n\n## `x`\n\n# Late\n", &Here);
    assert_eq!(
        page.html.replace('\n', ""),
        "<p>Text</p><h3 id=\"doc-why-this\">Why <em>this</em></h3><h4 id=\"doc-why-this-1\">Why this</h4><h3 id=\"doc-x\"><code>x</code></h3><h2 id=\"doc-late\">Late</h2>"
    );
    let headings: Vec<(u8, &str)> = page.headings.iter().map(|heading| (heading.level, heading.id.as_str())).collect();
    assert_eq!(headings, [(2, "doc-why-this"), (3, "doc-why-this-1"), (2, "doc-x")]);
}

#[test]
fn links_lead_to_the_interface() {
    check("[a](../index.md#top)", "<p><a href=\"/docs?page=index.md#doc-top\" rel=\"noopener noreferrer\">a</a></p>");
    check("[a](#top)", "<p><a href=\"#doc-top\" rel=\"noopener noreferrer\">a</a></p>");
    check("[a](../src/main.rs)", "<p><a rel=\"noopener noreferrer\">a</a></p>");
    check("[a](https://example.org/)", "<p><a href=\"https://example.org/\" rel=\"noopener noreferrer\">a</a></p>");
    check(
        "![flow](../images/flow.svg)",
        "<p><img src=\"/file?path=images/flow.svg\" alt=\"flow\" loading=\"lazy\"></p>",
    );
    check(
        "<img src=\"../images/flow.svg\" alt=x>",
        "<img src=\"/file?path=images/flow.svg\" alt=\"x\" loading=\"lazy\">",
    );
}

#[test]
fn nothing_runs_and_nothing_loads_from_elsewhere() {
    let hostile = [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![a](https://evil.example/pixel.png)",
        "![a](//evil.example/pixel.png)",
        "[a](javascript:alert(1))",
        "[a](data:text/html,x)",
        "<a href=\"jav&#x09;ascript:alert(1)\">a</a>",
        "<iframe src=\"https://evil.example\"></iframe>",
        "<svg onload=alert(1)><use href=\"//evil.example\"/></svg>",
        "<style>body{display:none}</style>",
        "<div style=\"position:fixed\" class=\"dialog\" id=\"main\" onclick=x>a</div>",
        "<form action=//evil.example><input name=password></form>",
        "<base href=//evil.example>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "```<img src=x onerror=alert(1)>\n<img src=x onerror=alert(1)>\n```",
        "!!! note \"<img src=x onerror=alert(1)>\"\n    x",
        "<details class=\"admonition sidebar\" ontoggle=alert(1) open>x</details>",
    ];
    for text in hostile {
        let page = html(text);
        let tags: String = page.split('<').skip(1).filter_map(|rest| rest.split('>').next()).collect();
        for word in [
            "script",
            "onerror",
            "onload",
            "onclick",
            "ontoggle",
            "evil",
            "javascript",
            "data:",
            "iframe",
            "style",
            "form",
            "input",
            "base",
            "dialog",
            "sidebar",
            "id=\"main\"",
        ] {
            assert!(!tags.contains(word), "{word} in {page}, from {text}");
        }
    }
}

#[test]
fn callouts_code_and_tasks() {
    check(
        "> [!WARNING]\n> Mind it\n\n> said",
        "<div class=\"admonition warning\"><p class=\"admonition-title\">Warning</p><p>Mind it</p></div><blockquote><p>said</p></blockquote>",
    );
    check(
        "!!! tip\n    **b**",
        "<div class=\"admonition tip\"><p class=\"admonition-title\">Tip</p><p><strong>b</strong></p></div>",
    );
    check("```json title=\"x\"\n1\n```", "<pre tabindex=\"0\"><code><span class=\"hl-number\">1</span></code></pre>");
    check("- [x] done\n- [ ] open", "<ul><li>☑ done</li><li>☐ open</li></ul>");
    check("~~a~~ <b class=\"x\">b</b>", "<p><del>a</del> <b>b</b></p>");
}

#[test]
fn titles_and_passages() {
    assert_eq!(title("---\ntitle: \"Front\"\n---\n# Other\n").as_deref(), Some("Front"));
    assert_eq!(title("---\nx: 1\n---\nText\n\n# The `one`\n").as_deref(), Some("The one"));
    assert_eq!(title("## Second\n"), None);
    let text = "---\ntitle: x\n---\n# Title\n\nOne\ntwo [three](x.md).\n\n- four\n\n| a | b |\n|---|---|\n| c | d |\n\n```\ncode\n```\n";
    assert_eq!(passages(text), ["Title", "One two three.", "four", "a b", "c d", "code"]);
    assert_eq!(
        images("![a](x.png) <img src='y.png'>\n\n<p><img alt=\"\" src=\"z.svg\"></p>"),
        ["x.png", "y.png", "z.svg"]
    );
}

#[test]
fn hostile_nesting_stays_small() {
    let tags: String = (0..30_000).map(|number| format!("<b title={number}>")).collect();
    let paragraphs = "<p>x</p>".repeat(20_000);
    for text in
        [format!("{tags}{paragraphs}"), "> ".repeat(20_000) + "x", "- ".repeat(5_000) + "x", "*a ".repeat(50_000)]
    {
        let page = render(&text, &Here);
        assert!(page.html.len() < 20 << 20, "{} bytes", page.html.len());
    }
}
