/** Texts that are nearly right: what users type on the way to a file that is. */

import fc from 'fast-check'

/** Returns texts of which pieces were taken out, doubled, or put into another place. */
export function mangled(texts: readonly string[]): fc.Arbitrary<string> {
  return fc.tuple(fc.constantFrom(...texts), fc.array(fc.tuple(fc.nat(), fc.nat({ max: 30 }), fc.nat(), fc.boolean()), { maxLength: 4 })).map(([text, edits]) =>
    edits.reduce((now, [from, length, to, keeps]) => {
      const start = from % (now.length + 1)
      const piece = now.slice(start, start + length)
      const rest = keeps ? now : now.slice(0, start) + now.slice(start + length)
      const at = to % (rest.length + 1)
      return rest.slice(0, at) + piece + rest.slice(at)
    }, text))
}
