/** The parser at work: one for all sentences, made when the first comes. */

import type { CstNode, IRecognitionException, IToken } from 'chevrotain'
import { PolicyParser } from './policy-parser.ts'
import { makeLexer } from './policy-tokens.ts'

let parser: PolicyParser | undefined

/** A parsed sentence: its tree, and what was wrong with it. */
export interface ParsedSentence {
  readonly tree: CstNode
  readonly errors: readonly IRecognitionException[]
}

/** Parses the tokens of one sentence. Never throws: what is broken is left out of the tree. */
export function parseSentence(tokens: IToken[]): ParsedSentence {
  parser ??= new PolicyParser('skipped')
  parser.input = tokens
  const tree = parser.stmt()
  return { tree, errors: parser.errors }
}

/** Throws where productions are ambiguous or a token hides another. A test asks that once: to ask at every start takes longer than to compile a small policy. */
export function validateGrammar(): void {
  makeLexer('made')
  new PolicyParser('made')
}
