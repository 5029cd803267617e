/** What hash functions do before they begin: the message becomes whole blocks. */

/** Returns a message with a bit behind it, zeros, and its length in bits at the end; `blockBytes` is 64 or 128. Source: FIPS 180-4 section 5.1. */
export function hashBlocks(message: Uint8Array, blockBytes: number): DataView {
  const lengthBytes = blockBytes / 8
  const all = new Uint8Array(Math.ceil((message.length + 1 + lengthBytes) / blockBytes) * blockBytes)
  all.set(message)
  all[message.length] = 0x80
  const view = new DataView(all.buffer)
  view.setBigUint64(all.length - 8, BigInt(message.length) * 8n)
  return view
}
