import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { server } from "../src/server.js";

const running = server();
let base;
before(() => new Promise((done) => running.listen(0, () => {
  base = `http://127.0.0.1:${running.address().port}`;
  done();
})));
after(() => running.close());

test("it says that it lives", async () => {
  assert.equal((await fetch(`${base}/healthz`)).status, 200);
});

test("what is not there is not found", async () => {
  assert.equal((await fetch(`${base}/nothing`)).status, 404);
});
