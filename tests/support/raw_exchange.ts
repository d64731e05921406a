/** Sends bytes over a socket as they stand, and reads what comes back. */

/** The answers on a connection that the server ended. */
export interface RawAnswers {
  /** One for each answer, in order. */
  readonly statuses: readonly number[];
  /** Heads and bodies. */
  readonly text: string;
}

/**
 * Sends `bytes`, and reads until the server ends the connection, which they must bring
 * about. What the server did not take, or took back, counts as not answered.
 */
export async function rawExchange(
  base_url: string,
  bytes: Uint8Array,
): Promise<RawAnswers> {
  const { hostname, port } = new URL(base_url);
  using socket = await Deno.connect({ hostname, port: Number(port) });
  const sending = (async () => {
    for (let at = 0; at < bytes.length;) {
      at += await socket.write(bytes.subarray(at));
    }
  })().catch(() => {});
  let text = "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(1 << 16);
  for (;;) {
    const length = await socket.read(buffer).catch(() => null);
    if (length === null) break;
    text += decoder.decode(buffer.subarray(0, length), { stream: true });
  }
  await sending;
  // An answer begins right behind the body of the one before.
  const statuses = Array.from(
    text.matchAll(/HTTP\/1\.[01] (\d{3}) /g),
    ([, status]) => Number(status),
  );
  return { statuses, text };
}
