/**
 * The words of the `-A` lines read so far, as a tree: a step is a word, any value in a plain spelling, or the name of a user chain
 * after `-j`. A line that goes down a known way differs from the rule at its end only in values that no check looks at: it is taken
 * as that rule was, and its own values are read when someone asks for them. See README.md of this folder.
 */

import type { PlainForm } from '../extensions/extension.ts'
import type { Rule } from '../ir/ruleset.ts'

const SPACE = 32

/** Rules that differ in plain values only. */
export interface LineKind {
  /** The first that was read. */
  readonly sample: Rule
  /** Together with the marks of the values on a line: equal for equal rules, whatever words they were written in. */
  signature: number
}

/** One place in the tree: the ways on from here. */
export interface LineNode {
  readonly words: string[]
  readonly nodes: LineNode[]
  /** The same by word, once there are many. */
  byWord: Map<string, LineNode> | undefined
  readonly slots: Slot[]
  /** The way on behind the name of a user chain. */
  chain: LineNode | undefined
  /** A line may end here. */
  kind: LineKind | undefined
}

/** A place where any value of a spelling may stand. */
export interface Slot {
  readonly form: PlainForm
  /** The mark of its option: the same value of another option has another mark; -1: values do not count (comments). */
  readonly salt: number
  readonly node: LineNode
}

/** The tree, and what the last walk through it found. */
export interface LineTree {
  readonly root: LineNode
  /** How many lines were added, and how many found their way. */
  learned: number
  hits: number
  kind: LineKind | undefined
  /** The sum of the marks of the values on the line. */
  valueMark: number
  /** Where the name of the user chain begins and ends that the line jumps to; -1 where it jumps to none. */
  jumpStart: number
  jumpEnd: number
}

/** So many ways on are looked through one by one. */
const FEW = 8

/** Returns an empty tree. */
export function makeLineTree(): LineTree {
  return { root: makeNode(), learned: 0, hits: 0, kind: undefined, valueMark: 0, jumpStart: -1, jumpEnd: -1 }
}

/** Returns a place from which no way leads on yet. */
export function makeNode(): LineNode {
  return { words: [], nodes: [], byWord: undefined, slots: [], chain: undefined, kind: undefined }
}

/** Follows the words of `text[start, end)`, one blank between them. Returns whether there is such a way; the tree then says what was found. */
export function walkLine(tree: LineTree, text: string, start: number, end: number): boolean {
  let node = tree.root
  let at = start
  tree.valueMark = 0
  tree.jumpStart = -1
  for (;;) {
    const next = wordStep(node, text, at, end)
    if (next) {
      node = next
      at = lastEnd
    } else {
      const slot = slotStep(node, text, at, end)
      if (slot) {
        if (slot.salt !== -1) tree.valueMark = (tree.valueMark + markText(text, at, lastEnd, slot.salt, slot.form)) | 0
        node = slot.node
        at = lastEnd
      } else if (node.chain && at < end) {
        tree.jumpStart = at
        while (at < end && text.charCodeAt(at) !== SPACE) at++
        tree.jumpEnd = at
        tree.valueMark = (tree.valueMark + markText(text, tree.jumpStart, at, JUMP_SALT, undefined)) | 0
        node = node.chain
      } else return false
    }
    if (at === end) break
    at++
  }
  tree.kind = node.kind
  return node.kind !== undefined
}

/** Returns the mark of the line of the last walk: 30 bits, which V8 keeps in place. */
export function markOf(kind: LineKind, tree: LineTree): number {
  return (kind.signature + tree.valueMark) & 0x3fffffff
}

/** Marks the chain that a rule jumps to. */
export const JUMP_SALT = 0x2545f491

/** Where the word or value of the last step ends. */
let lastEnd = 0

function wordStep(node: LineNode, text: string, at: number, end: number): LineNode | undefined {
  if (node.byWord) return stepByMap(node.byWord, text, at, end)
  const { words } = node
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    if (!standsAt(word, text, at, end)) continue
    lastEnd = at + word.length
    return node.nodes[index]
  }
  return undefined
}

function standsAt(word: string, text: string, at: number, end: number): boolean {
  const stop = at + word.length
  if (stop > end || (stop < end && text.charCodeAt(stop) !== SPACE)) return false
  for (let index = 0; index < word.length; index++) if (text.charCodeAt(at + index) !== word.charCodeAt(index)) return false
  return true
}

function stepByMap(byWord: Map<string, LineNode>, text: string, at: number, end: number): LineNode | undefined {
  const space = text.indexOf(' ', at)
  const stop = space === -1 || space > end ? end : space
  const next = byWord.get(text.slice(at, stop))
  if (next) lastEnd = stop
  return next
}

function slotStep({ slots }: LineNode, text: string, at: number, end: number): Slot | undefined {
  for (let index = 0; index < slots.length; index++) {
    const slot = slots[index]
    const stop = slot ? slot.form.scan(text, at, end) : -1
    if (stop === -1 || (stop < end && text.charCodeAt(stop) !== SPACE)) continue
    lastEnd = stop
    return slot
  }
  return undefined
}

/** Returns a number for a value: equal values have equal ones, as FNV-1a would make them. */
function markText(text: string, start: number, end: number, salt: number, form: PlainForm | undefined): number {
  const fold = form?.ignoresCase ? 32 : 0
  let mark = salt
  for (let at = start; at < end; at++) mark = Math.imul(mark ^ (text.charCodeAt(at) | fold), 0x01000193)
  const suffix = form?.suffix
  if (suffix !== undefined) for (let at = 0; at < suffix.length; at++) mark = Math.imul(mark ^ suffix.charCodeAt(at), 0x01000193)
  mark ^= mark >>> 15
  return Math.imul(mark, 0x85ebca6b)
}

/** Returns a number for words, as FNV-1a would make it. */
export function markWords(words: readonly string[]): number {
  let mark = 0x811c9dc5
  for (const word of words) {
    for (let at = 0; at < word.length; at++) mark = Math.imul(mark ^ word.charCodeAt(at), 0x01000193)
    mark = Math.imul(mark ^ SPACE, 0x01000193)
  }
  return mark | 0
}

/** Returns the way on behind a word, made where there is none. */
export function addWord(node: LineNode, word: string): LineNode {
  const known = node.byWord ? node.byWord.get(word) : node.nodes[node.words.indexOf(word)]
  if (known) return known
  const made = makeNode()
  node.words.push(word)
  node.nodes.push(made)
  if (node.byWord) node.byWord.set(word, made)
  else if (node.words.length > FEW && node.words.every(other => !other.includes(' '))) node.byWord = new Map(node.words.map((other, index) => [other, node.nodes[index] ?? made]))
  return made
}

/** Returns the way on behind a value, made where there is none. */
export function addSlot(node: LineNode, form: PlainForm, salt: number): LineNode {
  const known = node.slots.find(slot => slot.form === form && slot.salt === salt)
  if (known) return known.node
  const made = makeNode()
  node.slots.push({ form, salt, node: made })
  return made
}
