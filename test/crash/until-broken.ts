/** Work of a client that ends with its connection: what the broken connection leaves open is no error, everything else is. */
import { RawClient } from '../kit/client.ts';

const GONE = new Set(['ECONNREFUSED', 'ECONNRESET']);

export async function untilBroken(port: number, work: (client: RawClient) => Promise<void>): Promise<void> {
  const client = await RawClient.connect(port).catch((problem: NodeJS.ErrnoException) => {
    if (!GONE.has(problem.code ?? '')) throw problem;
    return null;
  });
  if (client === null) return;
  try {
    for (;;) await work(client);
  } catch (problem) {
    // An answer may be in hand while the connection closes: what it says is no less wrong.
    if (client.isOpen || !isBroken(problem)) throw problem;
  } finally {
    await client.close();
  }
}

function isBroken(problem: unknown): boolean {
  return problem instanceof Error && /closed the connection|connection is closed/.test(problem.message);
}
