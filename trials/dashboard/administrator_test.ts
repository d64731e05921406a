/** What an administrator does on the page: delivers a file after it was checked, decides, and goes back. */

/// <reference lib="dom" />

import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { dataFolder } from "../../tests/support/data_folder.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256 } from "../../tests/support/keys.ts";
import {
  BROWSER,
  eventually,
  open,
  sampleFiles,
  serve,
  share,
  tilesOf,
} from "./page.ts";

const shared = share({ ADMIN_KEY_SHA256 });

/** The sample in a folder that may change, served with an administrator's key and kept versions. */
async function administered() {
  const stack = new AsyncDisposableStack();
  const files = await sampleFiles();
  const folder = stack.use(await dataFolder(files));
  const state = stack.use(await dataFolder());
  const server = stack.use(
    await serve({
      DATA_DIR: folder.path,
      STATE_DIR: state.path,
      ADMIN_KEY_SHA256,
      REFRESH_SECONDS: "1",
    }),
  );
  const watched = stack.use(await open(shared.browser, server.base_url));
  return {
    ...watched,
    folder,
    interactions: files["external_interactions.csv"],
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function signIn(page: Page, key = ADMIN_KEY): Promise<void> {
  await page.getByLabel("The administrator's key").fill(key);
  await page.locator("#admin").getByRole("button", { name: "Continue" })
    .click();
}

async function counts(page: Page, interactions: number): Promise<void> {
  await eventually(async () =>
    assertEquals((await tilesOf(page))[0], `${interactions}`)
  );
}

/** Drops a file as a hand does: over the zone, then let go. */
async function drop(
  page: Page,
  { name, text, onto = ".drop" }: {
    readonly name: string;
    readonly text: string;
    readonly onto?: string;
  },
): Promise<void> {
  const dataTransfer = await page.evaluateHandle(({ name, text }) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], name, { type: "text/csv" }));
    return transfer;
  }, { name, text });
  for (const kind of ["dragover", "drop"]) {
    await page.dispatchEvent(onto, kind, { dataTransfer });
  }
}

Deno.test(
  "a wrong key is said so, and the right one opens the administration of this tab",
  BROWSER,
  async () => {
    await using opened = await open(shared.browser, shared.server.base_url);
    const { page } = opened;
    await signIn(page, "wrong");
    await page.locator("#key-admin-error", { hasText: /\w/ }).waitFor();
    assertEquals(await page.locator(".drop").count(), 0);
    await signIn(page);
    await page.locator(".drop").waitFor();
    await page.reload();
    await page.locator(".drop").waitFor();
    await page.getByRole("button", { name: "Forget the key" }).click();
    await page.locator(".drop").waitFor({ state: "detached" });
    await counts(page, 31);
  },
);

Deno.test(
  "a dropped file is checked, and goes live when it is published",
  BROWSER,
  async () => {
    await using opened = await administered();
    const { page, folder } = opened;
    await signIn(page);
    await page.locator(".drop").waitFor();
    const name = "external_interactions_2.csv";
    const text = "Date Start,Interaction,Customers\n" +
      "05/11/2021 10:00,Email,1\n06/11/2021 10:00,Pigeon,2\nnever,Email,2\n";
    await drop(page, { name, text });
    const dropped = page.locator(".dropped");
    await dropped.getByRole("button", { name: "Publish" }).waitFor();
    const said = await dropped.textContent();
    for (
      const part of [name, "It fits.", "2 rows counted, 1 set aside", "Pigeon"]
    ) assert(said!.includes(part), `${part}: ${said}`);
    // Nothing is there before it is published.
    await counts(page, 31);
    assertEquals(
      await Deno.stat(`${folder.path}/${name}`).catch(() => null),
      null,
    );

    await dropped.getByRole("button", { name: "Publish" }).click();
    await dropped.getByText("Delivered.").waitFor();
    await counts(page, 33);
    assertEquals(await Deno.readTextFile(`${folder.path}/${name}`), text);
    await page.locator("#data").getByText("New channels").first().waitFor();
    assertEquals(opened.complaints, []);
  },
);

Deno.test("a file that is chosen can be let go", BROWSER, async () => {
  await using opened = await open(shared.browser, shared.server.base_url);
  const { page } = opened;
  await signIn(page);
  await page.locator("input[type=file]").setInputFiles({
    name: "customers_2.csv",
    mimeType: "text/csv",
    buffer: Buffer.from("Customer_Id\n99\n"),
  });
  const dropped = page.locator(".dropped");
  await dropped.getByRole("button", { name: "Cancel" }).click();
  await dropped.waitFor({ state: "detached" });
  // The same file can be chosen again.
  await page.locator("input[type=file]").setInputFiles({
    name: "customers_2.csv",
    mimeType: "text/csv",
    buffer: Buffer.from("Customer_Id\n99\n"),
  });
  await dropped.getByRole("button", { name: "Publish" }).waitFor();
  await counts(page, 31);
});

Deno.test(
  "a file that changes before it is published, or that nobody takes, is let go",
  BROWSER,
  async () => {
    await using folder = await dataFolder({
      "customers_2.csv": "Customer_Id\n99\n",
    });
    const path = `${folder.path}/customers_2.csv`;
    await using opened = await administered();
    const { page } = opened;
    await signIn(page);
    const dropped = page.locator(".dropped");
    const choose = () => page.locator("input[type=file]").setInputFiles(path);
    const isLetGo = async () => {
      await dropped.getByRole("button", { name: "Cancel" }).click();
      await dropped.waitFor({ state: "detached" });
      await page.locator(".status", { hasText: "Up to date" }).waitFor();
      assertEquals(await page.locator(".note-warning").count(), 0);
    };
    await choose();
    const publish = dropped.getByRole("button", { name: "Publish" });
    await publish.waitFor();
    await folder.write({ "customers_2.csv": "Customer_Id\n99\n100\n" });
    // A browser sees a change by its time, in seconds.
    await Deno.utime(path, 1_000_000, 1_000_000);
    await publish.click();
    await dropped.getByText("has changed").waitFor();
    await isLetGo();

    await page.route("**/data/check/*", (route) => route.abort());
    await choose();
    await dropped.getByText("not reached").waitFor();
    await isLetGo();
    await counts(page, 31);
  },
);

Deno.test(
  "a file that cannot be served shows the reasons, and cannot be published",
  BROWSER,
  async (t) => {
    await using opened = await open(shared.browser, shared.server.base_url);
    const { page } = opened;
    await signIn(page);
    await page.locator(".drop").waitFor();
    const cases: [name: string, text: string, reason: string][] = [
      ["customers.csv", "Number,Type\n1,Red\n", "no column Customer_Id"],
      ["holiday.csv", "Customer_Id\n1\n", "holiday.csv"],
    ];
    for (const [name, text, reason] of cases) {
      await t.step(name, async () => {
        await drop(page, { name, text });
        const lines = page.locator(".dropped .lines", { hasText: reason });
        await lines.waitFor();
        const dropped = page.locator(".dropped");
        assert(
          (await dropped.locator("h4").first().textContent())!.startsWith(name),
        );
        await dropped.getByText(/cannot be served/).waitFor();
        assertEquals(
          await dropped.getByRole("button", { name: "Publish" }).count(),
          0,
        );
        await dropped.getByRole("button", { name: "Cancel" }).click();
        await dropped.waitFor({ state: "detached" });
      });
    }
    await counts(page, 31);
  },
);

Deno.test(
  "a file that is dropped beside the zone does not take the page away",
  BROWSER,
  async () => {
    await using opened = await open(shared.browser, shared.server.base_url);
    const { page } = opened;
    await signIn(page);
    await page.locator(".drop").waitFor();
    const address = page.url();
    await drop(page, { name: "customers.csv", text: "x", onto: ".tiles" });
    assertEquals(page.url(), address);
    assertEquals(await page.locator(".dropped").count(), 0);
  },
);

Deno.test(
  "data that looks wrong is held, discarded, accepted all the same, and taken back",
  BROWSER,
  async () => {
    await using opened = await administered();
    const { page, folder, interactions } = opened;
    await signIn(page);
    await page.locator(".drop").waitFor();
    const admin = page.locator("#admin");
    const press = async (name: string) =>
      await admin.getByRole("button", { name, exact: true }).click();

    // The newest interaction is older than before.
    const older = interactions.split("\n")
      .filter((line) => !line.includes("2021")).join("\n");
    await folder.write({ "external_interactions.csv": older });
    await admin.getByText("New data waits for your decision").waitFor();
    await page.locator(".status", { hasText: "New data is held" }).waitFor();
    await admin.getByText(/newest interaction/).first().waitFor();
    await counts(page, 31);

    await press("Discard");
    await admin.getByText("A version was discarded").waitFor();
    await page.locator(".status", { hasText: "Up to date" }).waitFor();
    await counts(page, 31);

    await press("Serve it all the same");
    await eventually(async () => assert(Number((await tilesOf(page))[0]) < 31));
    await admin.getByText("A version was discarded")
      .waitFor({ state: "detached" });

    await press("Go back a version");
    await counts(page, 31);
    await admin.getByText("or left by going back").waitFor();

    // Held again with other files, and accepted.
    await folder.write({
      "external_interactions.csv": older.split("\n").slice(0, -3).join("\n") +
        "\n",
    });
    await admin.getByText("New data waits for your decision").waitFor();
    await press("Accept and serve");
    await eventually(async () => assert(Number((await tilesOf(page))[0]) < 31));
    await page.locator(".status", { hasText: "Up to date" }).waitFor();
    assertEquals(opened.complaints, []);
  },
);

Deno.test("a decision that is refused says why", BROWSER, async () => {
  await using opened = await open(shared.browser, shared.server.base_url);
  const { page } = opened;
  await signIn(page);
  // There is no version before the first one.
  await page.getByRole("button", { name: "Go back a version" }).click();
  const said = page.locator("#admin p[role=status]", { hasText: /\w/ });
  await said.waitFor();
  // A later delivery does not stand beside it.
  await drop(page, { name: "holiday.csv", text: "x" });
  await page.locator(".dropped").waitFor();
  assertEquals(await said.count(), 0);
  await page.getByRole("button", { name: "Check the folder now" }).click();
  await said.getByText("If it has new data, that shows here.").waitFor();
  await counts(page, 31);
});
