/** A line that was just read -> its way in the tree of lines. */

import { splitWords } from '../../grammar/save-words.ts'
import type { WordSpan } from '../../grammar/save-words.ts'
import type { PlainForm } from '../extensions/extension.ts'
import type { Rule } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { addSlot, addWord, makeNode, markOf, markWords, walkLine } from './line-tree.ts'
import type { LineKind, LineNode, LineTree } from './line-tree.ts'
import type { WrittenOption } from './option-table.ts'
import { writeRule } from './write-rule.ts'

/** A rule with the words it was read from: `text[start, end)` behind `-A CHAIN`, and the option of each word that is the value of one. */
export interface LearnedLine {
  readonly rule: Rule
  readonly text: string
  readonly start: number
  readonly end: number
  /** How many words stand before `start` on the line. */
  readonly before: number
  readonly optionAt: readonly (WrittenOption | undefined)[]
}

/** What a line is known by: its kind and its mark. */
export interface KnownLine {
  readonly kind: LineKind
  readonly mark: number
}

/** Reads words that iptables-save would print and returns the option of each that is the value of one; undefined where they are refused. */
export type ReadCanonical = (text: string) => readonly (WrittenOption | undefined)[] | undefined

/** Lines are learned as long as they help: so many at first, and more where others find their way. */
const PATIENCE = 2000

/** Tells whether learning more lines is worth while. */
export function isWorthLearning(tree: LineTree): boolean {
  return tree.learned < PATIENCE + tree.hits
}

/**
 * Adds the way of a line and returns what it is known by; undefined where it has none (more than one blank between words, say).
 * `readCanonical` reads the words that iptables-save would print for the rule and returns the options of their values: rules that
 * say the same in other words have the mark of those.
 */
export function learnLine(tree: LineTree, line: LearnedLine, family: Family, readCanonical: ReadCanonical): KnownLine | undefined {
  const added = addLine(tree, line, family)
  if (!added || !walkLine(tree, line.text, line.start, line.end) || tree.kind !== added.kind) return undefined
  const valueMark = tree.valueMark
  if (added.isNew) {
    const total = canonicalMark(tree, line, family, readCanonical, added)
    if (total === undefined) {
      added.node.kind = undefined
      return undefined
    }
    added.kind.signature = (total - valueMark) | 0
  }
  tree.valueMark = valueMark
  return { kind: added.kind, mark: markOf(added.kind, tree) }
}

/** Returns the mark of the rule in the words of iptables-save. */
function canonicalMark(tree: LineTree, line: LearnedLine, family: Family, readCanonical: ReadCanonical, added: AddedLine): number | undefined {
  const text = writeRule(line.rule, family)
  if (text === line.text.slice(line.start, line.end)) return (added.literals + tree.valueMark) | 0
  if (text === '') return EMPTY_MARK
  const optionAt = readCanonical(text)
  const canonical = optionAt && addLine(tree, { rule: line.rule, text, start: 0, end: text.length, before: 2, optionAt }, family)
  if (!canonical || !walkLine(tree, text, 0, text.length) || tree.kind !== canonical.kind) return undefined
  if (canonical.isNew || canonical.kind === added.kind) canonical.kind.signature = canonical.literals
  return (canonical.kind.signature + tree.valueMark) | 0
}

const EMPTY_MARK = 1

interface AddedLine {
  readonly kind: LineKind
  readonly node: LineNode
  readonly isNew: boolean
  /** The mark of the words that are no values. */
  readonly literals: number
}

function addLine(tree: LineTree, { rule, text, start, end, before, optionAt }: LearnedLine, family: Family): AddedLine | undefined {
  const words: string[] = []
  const spans: WordSpan[] = []
  if (!splitWords(text, start, end, words, spans) || spans.length === 0 || !hasSingleBlanks(spans, start, end)) return undefined
  const raw = spans.map(span => text.slice(span.start, span.end))
  const literals: string[] = []
  let node = tree.root
  for (const [index, span] of spans.entries()) {
    const isComment = isCommentWord(raw, index)
    const option = optionAt[before + index]
    const form = plainFormOf(option, text, span, end, family)
    if (form) {
      node = addSlot(node, form, option?.name === 'comment' ? -1 : markWords([option?.name ?? '']) & 0x3fffffff)
      if (!isComment) literals.push('')
    } else if (isJumpWord(raw, index, rule)) {
      node = node.chain ??= makeNode()
      literals.push('')
    } else {
      node = addWord(node, raw[index] ?? '')
      if (!isComment) literals.push(raw[index] ?? '')
    }
  }
  tree.learned++
  const isNew = node.kind === undefined
  node.kind ??= { sample: rule, signature: 0 }
  return { kind: node.kind, node, isNew, literals: markWords(literals) }
}

function hasSingleBlanks(spans: readonly WordSpan[], start: number, end: number): boolean {
  return spans[0]?.start === start && spans.at(-1)?.end === end && spans.every((span, index) => index === 0 || span.start === (spans[index - 1]?.end ?? -2) + 1)
}

/** Comments, as iptables-save writes them, make no rule another one. */
function isCommentWord(raw: readonly string[], index: number): boolean {
  const isHere = (at: number): boolean => raw[at] === '-m' && raw[at + 1] === 'comment' && raw[at + 2] === '--comment'
  return isHere(index) || isHere(index - 1) || isHere(index - 2) || isHere(index - 3)
}

function isJumpWord(raw: readonly string[], index: number, { target }: Rule): boolean {
  return target !== undefined && target.kind !== 'target' && target.chain === raw[index] && /^(-j|-g|--jump|--goto)$/.test(raw[index - 1] ?? '')
}

/** Returns the plain spelling in which a word stands, the value of an option; undefined of other words. */
export function plainFormOf(written: WrittenOption | undefined, text: string, span: WordSpan, end: number, family: Family): PlainForm | undefined {
  return written?.type.plain?.(family).find(form => form.scan(text, span.start, end) === span.end)
}
