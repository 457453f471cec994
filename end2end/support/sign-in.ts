// Before all tests: signs in once, the way a person does who was sent a link.

import { execFileSync } from "node:child_process";

import { request, type APIRequestContext } from "@playwright/test";

/** Where the cookies of the session are kept for the tests. */
export const session = "playwright/.auth/session.json";

const baseURL = process.env.PORTAL_URL ?? "http://127.0.0.1:7171";
const targetDir = process.env.CARGO_TARGET_DIR ?? "../target";

/** A token of an administrator. */
function token(): string {
  const create = ["token", "create", "--user", "xtask", "--role", "admin", "--data-dir", "test-results/data"];
  return process.env.PORTAL_TOKEN ?? execFileSync(`${targetDir}/debug/portal`, create, { encoding: "utf8" }).trim();
}

/** Signs an account in with a new link. */
export async function enter(admin: APIRequestContext, browser: APIRequestContext, name: string): Promise<void> {
  const link = await admin.post(`/api/v1/accounts/${name}/sign-in-link`);
  const { path } = await link.json();
  await browser.post(path);
}

export default async function signIn(): Promise<void> {
  const admin = await request.newContext({ baseURL, extraHTTPHeaders: { authorization: `Bearer ${token()}` } });
  const browser = await request.newContext({ baseURL });
  const { name } = await (await admin.get("/api/v1/caller")).json();
  await enter(admin, browser, name);
  await browser.storageState({ path: session });
  await Promise.all([admin.dispose(), browser.dispose()]);
}
