/** Uploads to the real process over real sockets: whatever a client does, files are whole or not there. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { dataFolder, namesIn } from "./support/data_folder.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256 } from "./support/keys.ts";
import { startServer, waitFor } from "./support/start_server.ts";
import { utf8 } from "./support/text_bytes.ts";
import { exportsOf } from "./support/watched_store.ts";

const MAX_UPLOAD_BYTES = 100_000;
const PATH = "/api/v1/data/files/interactions.csv";
const HEADER = "Date Start,Interaction,Customers\n";

const interactions = (rows: number, channel = "Email") =>
  HEADER + `01/02/2020,${channel},1\n`.repeat(rows);

/** What came back on a connection: the status of the first answer, and all of the text. */
interface Answered {
  /** Null when the connection ended without an answer. */
  readonly status: number | null;
  readonly text: string;
}

/** A connection that sends an upload byte by byte as a test wants it. */
class Client implements Disposable {
  #received = "";

  private constructor(readonly socket: Deno.TcpConn) {}

  static async connect(base_url: string): Promise<Client> {
    const { hostname, port } = new URL(base_url);
    return new Client(await Deno.connect({ hostname, port: Number(port) }));
  }

  /** Sends the head of a request, a PUT where it is not said, with these headers beside the key. */
  async begin(
    headers: readonly string[],
    target = `PUT ${PATH}`,
  ): Promise<void> {
    const lines = [
      `${target} HTTP/1.1`,
      "Host: localhost",
      `Authorization: Bearer ${ADMIN_KEY}`,
      ...headers,
    ];
    await this.send(`${lines.join("\r\n")}\r\n\r\n`);
  }

  async send(text: string): Promise<void> {
    const bytes = utf8(text);
    for (let at = 0; at < bytes.length;) {
      at += await this.socket.write(bytes.subarray(at));
    }
  }

  /** Reads until `enough` of the text, or until the server closes the connection. */
  async receive(enough = (_: string) => false): Promise<Answered> {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(1 << 14);
    while (!enough(this.#received)) {
      const length = await this.socket.read(buffer).catch(() => null);
      if (length === null) break;
      this.#received += decoder.decode(buffer.subarray(0, length));
    }
    const status = /^HTTP\/1\.1 (\d+)/.exec(this.#received)?.[1];
    return { status: status ? Number(status) : null, text: this.#received };
  }

  /** Reads one answer with a body, and leaves the connection open. */
  async receiveOne(): Promise<Answered> {
    return await this.receive((text) => {
      const [head, body] = text.split("\r\n\r\n");
      const length = /^content-length: (\d+)/im.exec(head)?.[1];
      return length !== undefined && body !== undefined &&
        utf8(body).length >= Number(length);
    });
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

Deno.test("uploads over a socket", async (t) => {
  await using folder = await dataFolder(exportsOf(5));
  await using server = await startServer({
    DATA_DIR: folder.path,
    ADMIN_KEY_SHA256,
    MAX_UPLOAD_BYTES: String(MAX_UPLOAD_BYTES),
    REFRESH_SECONDS: "1",
    HOLD: "off",
  });
  const { base_url } = server;
  await (await waitFor(`${base_url}/readyz`, 200)).body?.cancel();

  /** The file is this text, nothing lies beside it, and it is what is served in the end. */
  async function holds(text: string): Promise<void> {
    const names = async () => (await namesIn(folder.path)).join();
    const expected = "customers.csv,interactions.csv";
    for (let i = 0; i < 100 && await names() !== expected; i++) await pause(50);
    assertEquals(await names(), expected);
    const file = `${folder.path}/interactions.csv`;
    assertEquals(await Deno.readTextFile(file), text);
    const sha256 = createHash("sha256").update(text).digest("hex");
    let served: string | undefined;
    for (let i = 0; i < 200 && served !== sha256; i++) {
      await pause(50);
      const { data } = await (await fetch(`${base_url}/api/v1/data`)).json();
      served = data.report.files.find((one: { table: string }) =>
        one.table === "interactions"
      ).sha256;
    }
    assertEquals(served, sha256);
    const counts = await fetch(`${base_url}/api/v1/interactions/1`);
    const { data } = await counts.json();
    const total = Object.values<number>(data.interactions)
      .reduce((sum, one) => sum + one, 0);
    assertEquals(total, text.split("\n").length - 2);
  }
  const put = (body: BodyInit) =>
    fetch(`${base_url}${PATH}`, {
      method: "PUT",
      headers: { Authorization: `Bearer ${ADMIN_KEY}` },
      body,
    });
  const chunk = (text: string) =>
    `${utf8(text).length.toString(16)}\r\n${text}\r\n`;
  let text = interactions(5);

  await t.step("cut off in the middle: as if it had not come", async () => {
    for (
      const headers of ["Content-Length: 5000", "Transfer-Encoding: chunked"]
    ) {
      using client = await Client.connect(base_url);
      await client.begin([headers]);
      const half = interactions(50);
      await client.send(headers.includes("chunked") ? chunk(half) : half);
      await pause(200);
    }
    await holds(text);
  });

  await t.step("a length that is longer than the body: refused", async () => {
    using client = await Client.connect(base_url);
    await client.begin(["Content-Length: 5000", "Connection: close"]);
    await client.send(interactions(6));
    await client.socket.closeWrite();
    const { status, text: answer } = await client.receive();
    assertEquals(status, 400, answer);
    assertStringIncludes(answer, "was cut off");
    await holds(text);
  });

  await t.step(
    "a length that is shorter: the body is what it says",
    async () => {
      text = interactions(7);
      using client = await Client.connect(base_url);
      await client.begin([`Content-Length: ${text.length}`]);
      await client.send(text + "02/02/2020,Email,1\n".repeat(9));
      const { status, text: answer } = await client.receiveOne();
      assertEquals(status, 202, answer);
      assertStringIncludes(answer, `"bytes":${text.length}`);
      await holds(text);
    },
  );

  await t.step("slowly, byte by byte: taken", async () => {
    text = interactions(2);
    using client = await Client.connect(base_url);
    await client.begin([`Content-Length: ${text.length}`, "Connection: close"]);
    for (const byte of text) {
      await client.send(byte);
      await pause(10);
    }
    const { status, text: answer } = await client.receive();
    assertEquals(status, 202, answer);
    await holds(text);
  });

  await t.step("chunked: taken", async () => {
    text = interactions(40);
    using client = await Client.connect(base_url);
    await client.begin(["Transfer-Encoding: chunked", "Connection: close"]);
    for (const line of text.match(/.*\n/g)!) await client.send(chunk(line));
    await client.send("0\r\n\r\n");
    const { status, text: answer } = await client.receive();
    assertEquals(status, 202, answer);
    assertStringIncludes(answer, `"bytes":${text.length}`);
    await holds(text);
  });

  await t.step("chunked, ill formed: the connection ends", async () => {
    using client = await Client.connect(base_url);
    await client.begin(["Transfer-Encoding: chunked", "Connection: close"]);
    await client.send(chunk(interactions(3)) + "no length\r\n");
    const { status, text: answer } = await client.receive();
    // Whether the server ends the connection before the answer is a race.
    assert(status === null || status === 400, answer);
    await holds(text);
  });

  const large = interactions(20 * MAX_UPLOAD_BYTES / 19);
  await t.step("too big, with a length: 413", async () => {
    const answer = await put(large);
    assertEquals(answer.status, 413);
    assertStringIncludes((await answer.json()).error, "MAX_UPLOAD_BYTES=");
    await holds(text);
  });

  await t.step(
    "too big, chunked: 413 before the end",
    async () => {
      using client = await Client.connect(base_url);
      await client.begin(["Transfer-Encoding: chunked"]);
      await client.send(chunk(HEADER));
      const row = interactions(1_000).slice(HEADER.length);
      for (let i = 0; i < 6; i++) await client.send(chunk(row));
      // The end of the body never comes, and need not.
      const { status, text: answer } = await client.receiveOne();
      assertEquals(status, 413, answer);
      await holds(text);
    },
  );

  await t.step("too big by its length: 413 before the first byte", async () => {
    for (
      const target of [
        `PUT ${PATH}`,
        `POST ${PATH.replace("/files/", "/check/")}`,
      ]
    ) {
      using client = await Client.connect(base_url);
      const length = `Content-Length: ${MAX_UPLOAD_BYTES + 1}`;
      await client.begin([length], target);
      const { status, text: answer } = await client.receiveOne();
      assertEquals(status, 413, answer);
      assertStringIncludes(answer, `MAX_UPLOAD_BYTES=${MAX_UPLOAD_BYTES} `);
    }
    await holds(text);
  });

  await t.step("exactly as big as may be: taken", async () => {
    const rows = Math.floor((MAX_UPLOAD_BYTES - HEADER.length) / 19);
    text = interactions(rows);
    const rest = MAX_UPLOAD_BYTES - text.length;
    text = text.slice(0, -1) + " ".repeat(rest) + "\n";
    assertEquals((await put(text)).status, 202);
    await holds(text);
  });

  await t.step(
    "Expect: 100-continue, as curl asks: told to go on",
    async () => {
      text = interactions(8);
      using client = await Client.connect(base_url);
      await client.begin([
        `Content-Length: ${text.length}`,
        "Expect: 100-continue",
        "Connection: close",
      ]);
      const first = await client.receive((text) => text.endsWith("\r\n\r\n"));
      assertEquals(first.text, "HTTP/1.1 100 Continue\r\n\r\n");
      await client.send(text);
      const { text: answer } = await client.receive();
      assertStringIncludes(answer, "HTTP/1.1 202 ");
      await holds(text);
    },
  );

  await t.step("two of one name at once: one wins whole", async () => {
    for (let i = 0; i < 5; i++) {
      const texts = [
        interactions(60 + i, "Call"),
        interactions(50 - i, "Bird"),
      ];
      const bodies = texts.map((text) =>
        ReadableStream.from(
          (async function* () {
            for (let at = 0; at < text.length; at += 200) {
              yield utf8(text.slice(at, at + 200));
              await pause(1);
            }
          })(),
        )
      );
      const answers = await Promise.all(bodies.map(put));
      const told = await Promise.all(answers.map((answer) => answer.json()));
      assertEquals(answers.map(({ status }) => status), [202, 202]);
      assertEquals(
        told.map(({ data }) => data.bytes),
        texts.map((text) => text.length),
      );
      const left = await Deno.readTextFile(`${folder.path}/interactions.csv`);
      assert(texts.includes(left));
      text = left;
    }
    await holds(text);
  });
  assertEquals(server.output.error, "");
  assertEquals(await server.stop(), 0);
});
