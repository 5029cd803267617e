/**
 * The tree of a sentence depends on the kinds of its tokens alone: a sentence of a known shape is not parsed again, the tokens of the tree
 * take the places and texts of its own. A long policy has few shapes.
 */

import type { CstElement, CstNode, CstNodeLocation, IToken } from 'chevrotain'
import { parseSentence } from './parse-sentence.ts'
import type { ParsedSentence } from './parse-sentence.ts'

/** A tree that is filled with the tokens of one sentence after another. */
interface Shape {
  readonly parsed: ParsedSentence
  readonly leaves: readonly IToken[]
  readonly places: readonly Place[]
}

/** A node, from which leaf to which. */
interface Place {
  readonly location: CstNodeLocation
  readonly first: number
  readonly last: number
}

/** Long sentences hardly repeat. */
const LONGEST = 48
const MOST = 4096

const shapes = new Map<string, Shape>()

/** Parses the tokens of one sentence as `parseSentence` does. The tree holds until the next call. */
export function parseKnownSentence(tokens: IToken[]): ParsedSentence {
  if (tokens.length > LONGEST) return parseSentence(tokens)
  let key = ''
  for (const token of tokens) key += String.fromCharCode(token.tokenTypeIdx)
  const known = shapes.get(key)
  if (known) return fill(known, tokens)
  const leaves = tokens.map(token => ({ ...token }))
  const parsed = parseSentence(leaves)
  if (parsed.errors.length > 0) return parsed
  if (shapes.size >= MOST) shapes.clear()
  shapes.set(key, { parsed, leaves, places: placesOf(parsed.tree, leaves) })
  return parsed
}

function fill({ parsed, leaves, places }: Shape, tokens: readonly IToken[]): ParsedSentence {
  for (let index = 0; index < tokens.length; index++) {
    const leaf = leaves[index]
    const token = tokens[index]
    if (!leaf || !token) continue
    leaf.image = token.image
    leaf.startOffset = token.startOffset
  }
  for (const { location, first, last } of places) {
    const end = leaves[last]
    location.startOffset = leaves[first]?.startOffset ?? 0
    if (end) location.endOffset = end.startOffset + end.image.length - 1
  }
  return parsed
}

/** Returns the nodes that have tokens. */
function placesOf(tree: CstNode, leaves: readonly IToken[]): readonly Place[] {
  const starts = new Map<number, number>()
  const ends = new Map<number, number>()
  leaves.forEach(({ startOffset, image }, index) => {
    starts.set(startOffset, index)
    ends.set(startOffset + image.length - 1, index)
  })
  const places: Place[] = []
  const visit = (element: CstElement): void => {
    if (!('children' in element)) return
    const { location, children } = element
    const first = location && starts.get(location.startOffset)
    const last = location && ends.get(location.endOffset ?? -1)
    if (location && first !== undefined && last !== undefined) places.push({ location, first, last })
    for (const name in children) children[name]?.forEach(visit)
  }
  visit(tree)
  return places
}
