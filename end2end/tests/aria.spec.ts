// What assistive technology is told of each page: its landmarks, headings and
// controls, in order. Parts that other tests change are left out.

import { expect, open, test } from "../support/portal";

const tabs = (current: string): string => `
    - heading /booking-api/ [level=1]
    - button "Star"
    - button "Follow"
    - button "Copy reference"
    - navigation "Views of this entity":
      - list:
        - listitem: 
          - link "Overview"
        - listitem:
          - link "Docs"
        - listitem:
          - link /Graph \\d+/
        - listitem:
          - link "Impact"
        - listitem:
          - link "History"
        - listitem:
          - link "Source"
    ${current}`;

const pages: { name: string; path: string; snapshot: string }[] = [
  {
    name: "home",
    path: "/",
    snapshot: `
    - heading "Home" [level=1]
    - search "Everything":
      - searchbox "Search everything"
      - button "Search"
    - region "What changed":
      - heading "What changed" [level=2]
      - list
    - complementary "Ways in":
      - region "Catalog":
        - heading "Catalog" [level=2]
        - list:
          - listitem:
            - link "Components"
      - region "First steps":
        - heading "First steps" [level=2]
        - list`,
  },
  {
    name: "catalog",
    path: "/catalog?q=booking-a",
    snapshot: `
    - heading "Catalog" [level=1]
    - button "Views"
    - button "Columns"
    - button "Export"
    - link "Add source"
    - search "Filter the list":
      - searchbox "Filter the list": booking-a
    - combobox "Filter by owner"
    - status: /\\d+ components?/
    - table /sorted by name/:
      - rowgroup:
        - row:
          - columnheader "Select all on this page":
            - checkbox "Select all on this page"
          - columnheader "Name":
            - link "Name"
          - columnheader "Owner"
      - rowgroup:
        - row /booking-api/:
          - cell "Select booking-api":
            - checkbox "Select booking-api"
          - cell "booking-api":
            - link "booking-api"`,
  },
  {
    name: "entity",
    path: "/catalog/component/default/booking-api",
    snapshot: tabs(`- region "Relations":
      - heading "Relations" [level=2]
      - link "Open graph"
      - heading /Depends on \\d+/ [level=3]
      - list
      - heading /Used by \\d+/ [level=3]
      - list
    - complementary "About booking-api":
      - region "About"
      - region "Source"`),
  },
  {
    name: "documentation",
    path: "/catalog/component/default/booking-api?tab=docs",
    snapshot: tabs(`- navigation "Pages":
      - list
    - article:
      - heading [level=2]`),
  },
  {
    name: "impact",
    path: "/catalog/component/default/booking-api?tab=impact",
    snapshot: tabs(`- paragraph: /If this fails, \\d+ entities/
    - region "Track & Trace":
      - heading "Track & Trace" [level=2]
      - table:
        - rowgroup:
          - row "Entity Because it Steps"`),
  },
  {
    name: "history",
    path: "/catalog/component/default/booking-api?tab=history",
    snapshot: tabs(`- region "Changes":
      - heading "Changes" [level=2]
      - textbox "As of"
      - button "Show"
      - list:
        - listitem:
          - link "as it was then"`),
  },
  {
    name: "source of an entity",
    path: "/catalog/component/default/booking-api?tab=source",
    snapshot: tabs(`- region "Document":
      - heading "Document" [level=2]
      - link "Edit"
    - complementary "Provenance":
      - region "Provenance"`),
  },
  {
    name: "definition",
    path: "/catalog/api/default/tracking-v3?tab=definition",
    snapshot: `
    - heading /Tracking/ [level=1]
    - navigation "Views of this entity"
    - region /Tracking/:
      - heading /Tracking/ [level=2]
      - paragraph:
        - link "As written"
      - heading "Servers" [level=3]
      - list
    - region "shipments":
      - heading "shipments" [level=2]
      - list:
        - listitem:
          - 'link "GET /shipments/{trackingNumber}"'`,
  },
  {
    name: "search",
    path: "/search?q=booking-api",
    snapshot: `
    - heading "Search" [level=1]
    - search "Search":
      - searchbox "Search": booking-api
    - navigation "Kinds of results":
      - list:
        - listitem:
          - link /All \\d+/
    - status: /\\d+ results/
    - navigation "Order":
      - link "Best match"
      - link "Name"
    - region "Results":
      - heading "Results" [level=2]
      - article:
        - heading "booking-api" [level=3]:
          - link "booking-api"
    - complementary "Refine"`,
  },
  {
    name: "sources",
    path: "/admin/sources",
    snapshot: `
    - heading "Sources" [level=1]
    - button "Read all now"
    - link "Add source"
    - table "Sources":
      - rowgroup:
        - row:
          - columnheader "Source"
          - columnheader "Reads"
          - columnheader "Status"
          - columnheader "Last read"
          - columnheader "Entities"
          - columnheader "Took"
      - rowgroup:
        - row /Sample organisation/:
          - cell:
            - link "Sample organisation"`,
  },
  {
    name: "a source",
    path: "/admin/sources/1",
    snapshot: `
    - heading "Sample organisation" [level=1]
    - button "Read now"
    - button "Remove"
    - region "Last passes":
      - heading "Last passes" [level=2]
      - list
    - complementary "Settings of this source":
      - region "Settings"`,
  },
  {
    name: "new source",
    path: "/admin/sources/new",
    snapshot: `
    - heading [level=1]
    - group:
      - radio
      - radio
      - radio
    - textbox "Target"
    - button "Add source"`,
  },
  {
    name: "templates",
    path: "/templates",
    snapshot: `
    - heading "Templates" [level=1]
    - form "Filter":
      - searchbox "Filter templates"
      - combobox "Type"
      - combobox "Owner"
      - link "Write one"
      - link "Runs"
    - region /All templates \\d+/:
      - heading [level=2]
      - article:
        - heading "Documentation" [level=3]
        - paragraph
        - link "Developer Platform"
        - link "Use template Documentation"`,
  },
  {
    name: "template editor",
    path: "/templates/editor",
    snapshot: `
    - heading "Template editor" [level=1]
    - link "Steps"
    - button "Copy YAML"
    - textbox "Template"
    - region "Preview":
      - region "Nothing to mend"
      - region "Form"
      - region "Files 1"
      - region "Steps 1 step"`,
  },
  {
    name: "actions",
    path: "/actions",
    snapshot: `
    - heading "Actions" [level=1]
    - form "Filter":
      - searchbox "Filter actions"
      - link "Runs"
      - link "Approvals"
    - region "Databases 2":
      - heading [level=2]
      - article:
        - heading "Get a PostgreSQL database" [level=3]
        - paragraph
        - link "Developer Platform"
        - link "Run Get a PostgreSQL database"
    - region "Deployments 1"
    - region "Environments 2"
    - region /Operations \\d+/`,
  },
  {
    name: "action",
    path: "/actions/default/deploy?entity=component:default/booking-api",
    snapshot: `
    - heading "Deploy a version" [level=1]
    - link "booking-api"
    - link "Runs"
    - link "About this action"
    - textbox "Version"
    - group:
      - radio "Staging"
      - radio "Production"
    - button "Continue"
    - complementary "What will happen":
      - region "What will happen"`,
  },
  {
    name: "changes",
    path: "/changes?operation=create",
    snapshot: `
    - heading "What changed" [level=1]
    - form "Filter":
      - combobox "When"
      - combobox "What happened"
      - combobox "Of what"
      - combobox "Entity"
    - region /Changes \\d+/:
      - heading [level=2]
      - link "Show all"
      - region:
        - heading [level=3]
        - list`,
  },
  {
    name: "approvals",
    path: "/approvals",
    snapshot: `
    - heading "Approvals" [level=1]
    - form "Filter":
      - combobox "Which"`,
  },
  {
    name: "connectors",
    path: "/admin/connectors",
    snapshot: `
    - heading "Connectors" [level=1]
    - region /Connectors \\d+/:
      - link "Add connector"
      - list:
        - listitem:
          - strong: platform
          - code
          - button "Test platform"
    - region "Channels 0"`,
  },
  {
    name: "notifications",
    path: "/notifications",
    snapshot: `
    - heading "Notifications" [level=1]
    - form "Filter":
      - combobox "Which"
    - region /Notifications \\d+/`,
  },
  {
    name: "wizard",
    path: "/templates/default/rust-service",
    snapshot: `
    - heading "Create Rust service" [level=1]
    - link "Edit template"
    - link "About this template"
    - list "Progress, step 1 of 4":
      - listitem: 1 Service
      - listitem: 2 Operation
      - listitem: 3 Repository
      - listitem: 4 Review
    - textbox "Name"
    - textbox "Description optional"
    - combobox "Owner"
    - combobox "System optional"
    - button "Continue"
    - complementary "So far":
      - region "Your answers"
      - region "This template"`,
  },
  {
    name: "runs",
    path: "/runs",
    snapshot: `
    - heading "Runs" [level=1]`,
  },
  {
    name: "validate",
    path: "/validate",
    snapshot: `
    - heading "Check a descriptor" [level=1]
    - button "Copy"
    - link "Add source"
    - textbox "Descriptor"
    - region "Verdict"`,
  },
];

test.beforeEach(({}, info) => {
  // Columns and menus leave a narrow page; what is told stays the same otherwise.
  test.skip(info.project.name.endsWith("390"), "told at full width");
});

for (const { name, path, snapshot } of pages) {
  test(`the page "${name}" says what it holds`, async ({ page }) => {
    await open(page, path);
    await expect(page.getByRole("main")).toMatchAriaSnapshot(`- main:${snapshot}`);
  });
}
