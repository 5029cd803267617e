/** The lines of a stream of requests. */

/** Yields the lines of an input that comes in chunks of text as they come, blank ones left out. */
export async function* readLines(chunks: AsyncIterable<unknown>): AsyncIterable<string> {
  let begun = ''
  for await (const piece of chunks) {
    const chunk = String(piece)
    let start = 0
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', start)) {
      const line = begun + chunk.slice(start, end)
      begun = ''
      start = end + 1
      if (line.trim() !== '') yield line
    }
    begun += chunk.slice(start)
  }
  if (begun.trim() !== '') yield begun
}
