import { defineConfig, type Project } from "@playwright/test";

import { session } from "./support/sign-in";

// `cargo xtask test browser` starts a portal with the sample organisation and
// names it in PORTAL_URL. Without it, a portal that `cargo xtask test` or
// `cargo build` left behind is started here.
const ownServer = "http://127.0.0.1:7171";
const baseURL = process.env.PORTAL_URL ?? ownServer;
const targetDir = process.env.CARGO_TARGET_DIR ?? "../target";

const sizes = { 1440: { width: 1440, height: 900 }, 390: { width: 390, height: 844 } } as const;

const HOSTILE = /hostile\.spec\.ts/;

function project(scheme: "light" | "dark", width: keyof typeof sizes): Project {
  return {
    name: `${scheme}-${width}`,
    grepInvert: /@no-script/,
    testIgnore: HOSTILE,
    use: { colorScheme: scheme, viewport: sizes[width], hasTouch: width === 390 },
  };
}

// Two of the four combinations see every theme and every width; a longer run
// (PORTAL_ALL_SIZES=1) sees them all.
const projects = [project("light", 1440), project("dark", 390)];
if (process.env.PORTAL_ALL_SIZES) projects.push(project("dark", 1440), project("light", 390));

// What can be read and used without JavaScript: tests tagged @no-script.
projects.push({
  name: "no-script",
  grep: /@no-script/,
  testIgnore: HOSTILE,
  use: { javaScriptEnabled: false, viewport: sizes[1440] },
});

// Fills the catalog with what nobody else wants to see, so it comes last.
projects.push({
  name: "hostile",
  testMatch: HOSTILE,
  dependencies: projects.map(({ name }) => name ?? ""),
  use: { viewport: sizes[1440] },
});

export default defineConfig({
  testDir: "tests",
  globalSetup: "./support/sign-in",
  outputDir: "test-results",
  fullyParallel: true,
  workers: 2,
  forbidOnly: Boolean(process.env.CI),
  // A test that fails now and then is a fault, so nothing is tried again.
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  projects,
  use: {
    baseURL,
    storageState: session,
    locale: "en-GB",
    timezoneId: "UTC",
    reducedMotion: "reduce",
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
    launchOptions: {
      // The system's browser: nothing is downloaded.
      executablePath: process.env.PORTAL_CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  webServer: process.env.PORTAL_URL
    ? undefined
    : {
        command: `rm -rf test-results/data && ${targetDir}/debug/portal serve --sample --config support/portal.toml --listen ${new URL(ownServer).host} --data-dir test-results/data`,
        url: `${ownServer}/readyz`,
        timeout: 60_000,
      },
});
